"""Forms that another site, another user or an earlier session made change nothing; nor do those without the rights."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests import page_routes
from tests.app.web import attacks
from tests.app.web.visitor import Visitor
from tests.client import Client

SignIn = Callable[[str], Visitor]
_SIGN_IN, _SIGN_OUT = "web.home.begin", "web.home.end"


@pytest.fixture(autouse=True)
def filled(alice: Client) -> None:
    attacks.fill(alice)


@pytest.fixture
def guest(master: Client, alice: Client, sign_in: SignIn) -> Visitor:
    """`bob`, who may read alice's repo, and write to his own."""
    token = master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"]
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    return sign_in(token)


@pytest.fixture
def reader(alice: Client, sign_in: SignIn) -> Visitor:
    """`alice` with a token that is for reading only; she has another one that the addresses of pages name."""
    alice.post("/v1/tokens", {"name": page_routes.NAMES["token_name"]})
    return sign_in(alice.post("/v1/tokens", {"name": "lector", "access": "read"}).json["api_key"])


def test_no_form_without_the_token_of_its_page_changes_anything(
    app: Flask, alice: Client, master: Client, visitor: Visitor, guest: Visitor, sign_in: SignIn
):
    stolen, earlier = guest.token(), sign_in(alice.token)
    left = earlier.token()
    earlier.post("/-/sign-out")
    before = attacks.state(alice, master)
    for address in attacks.posts(app):
        for token in (None, "", "wrong", stolen, left, visitor.token()[:-1]):
            answer = attacks.send(visitor, address, token)
            assert (address, answer.status_code, answer.mimetype) == (address, 400, "text/html")
            assert "This form is not of a page that you have open" in answer.text
    assert attacks.state(alice, master) == before
    assert visitor.get("/alice/demo/targets/nightly").status_code == 200  # and is still signed in


def test_a_form_of_a_stranger_leads_nowhere(app: Flask, alice: Client, master: Client, stranger: Visitor):
    before, token = attacks.state(alice, master), stranger.token()
    for address in attacks.posts(app, _SIGN_IN, _SIGN_OUT):
        answer = attacks.send(stranger, address, token)
        assert (address, answer.status_code) == (address, 401)
    assert attacks.state(alice, master) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data"])
def test_a_form_of_another_kind_is_refused(visitor: Visitor, kind: str):
    token = visitor.token()
    answer = visitor.client.post(
        "/-/sign-out", data=f"csrf_token={token}", headers={"Content-Type": kind, "X-CSRFToken": token}
    )
    assert answer.status_code == 400
    assert visitor.get("/alice/demo/targets/nightly").status_code == 200


def test_a_reader_changes_nothing_by_any_form(
    app: Flask, alice: Client, master: Client, reader: Visitor, guest: Visitor
):
    before = attacks.state(alice, master)
    forms = [rule for rule in page_routes.rules(app, "POST") if rule.endpoint not in (_SIGN_IN, _SIGN_OUT)]
    of_repos = [rule for rule in forms if "owner" in rule.arguments]
    for visitor, rules in ((reader, forms), (guest, of_repos)):
        token = visitor.token()
        for rule in rules:
            address = page_routes.address(rule, page_routes.NAMES)
            answer = attacks.send(visitor, address, token)
            assert (address, answer.status_code, answer.mimetype) == (address, 403, "text/html")
    assert attacks.state(alice, master) == before


def test_who_may_write_to_a_repo_may_not_give_it_away(
    app: Flask, alice: Client, master: Client, guest: Visitor, sign_in: SignIn
):
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    narrow = sign_in(alice.post("/v1/tokens", {"name": "narrow", "repos": ["other"]}).json["api_key"])
    before = attacks.state(alice, master)
    for rule in page_routes.rules(app, "POST"):
        is_about_all = rule.endpoint.startswith(("web.sharing.", "web.users."))
        for visitor in (guest, narrow) if is_about_all else (narrow,) if "repo_name" in rule.arguments else ():
            address = page_routes.address(rule, page_routes.NAMES)
            answer = attacks.send(visitor, address, visitor.token())
            assert (address, answer.status_code) == (address, 403)
    assert attacks.state(alice, master) == before


def test_pages_offer_a_reader_no_form_to_change_a_repo(app: Flask, reader: Visitor, guest: Visitor):
    for address in page_routes.addresses(page_routes.rules(app, "GET"), page_routes.NAMES):
        for visitor in (reader, guest):
            page = visitor.get(address)
            assert page.status_code < 500, address
            offered = [form for form in attacks.forms(page) if "/-/sign-out" not in form]
            if address.startswith("/alice"):
                assert (address, page.status_code, offered) == (address, page.status_code, [])

"""Pages and their errors cannot be framed, run no script of others, and are kept nowhere."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests import page_routes
from tests.app.web import attacks
from tests.app.web.visitor import Visitor
from tests.client import Client


@pytest.fixture(autouse=True)
def filled(alice: Client) -> None:
    attacks.fill(alice)


def assert_protected(answer: TestResponse, address: str) -> None:
    """Expect the headers of a page, or of what leads to one."""
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'", address
    if answer.mimetype == "text/html":
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'", address
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'", address
    else:  # a file that a browser may show as a document, such as a picture
        assert policy.get("script-src", "'self'") == "'self'", address
    assert answer.headers["X-Frame-Options"] == "DENY", address
    assert answer.headers["X-Content-Type-Options"] == "nosniff", address
    assert answer.headers["Referrer-Policy"] == "same-origin", address
    assert answer.headers["Cache-Control"] == "no-store", address


def test_every_page_is_protected(app: Flask, visitor: Visitor, operator: Visitor, stranger: Visitor):
    for address in page_routes.addresses(page_routes.rules(app, "GET"), page_routes.NAMES):
        for browser in (visitor, operator, stranger):
            answer = browser.get(address)
            assert answer.status_code < 500, address
            assert_protected(answer, address)


def test_every_form_is_answered_under_protection(app: Flask, visitor: Visitor):
    token = visitor.token()
    for address in attacks.posts(app, "web.home.end"):
        answer = attacks.send(visitor, address, token)
        assert answer.status_code < 500, address
        assert_protected(answer, address)


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/alice/demo/targets/none", 404),
        ("GET", "/alice/none/targets/nightly", 404),
        ("GET", "/alice/demo/targets/nightly?ref=none", 404),
        ("GET", "/alice/demo/targets/nightly?ref=%00", 422),
        ("GET", "/nothing/at/all/here", 404),
        ("GET", "/bob/demo/targets/nightly", 403),
        ("PUT", "/alice/demo/targets/nightly", 405),
        ("POST", "/alice/demo/targets/nightly", 405),
        ("POST", "/-/sign-out", 400),
    ],
)
def test_errors_are_protected_pages(visitor: Visitor, method: str, address: str, status: int):
    answer = visitor.client.open(address, method=method, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert_protected(answer, address)
    assert "Traceback" not in answer.text


def test_a_fault_of_the_server_is_a_protected_page(app: Flask, visitor: Visitor):
    def fail() -> None:
        raise ZeroDivisionError("the oven is off")

    app.view_functions["web.home.show"] = fail
    answer = visitor.get("/")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert_protected(answer, "/")
    assert "under request id" in answer.text
    assert "oven" not in answer.text


def test_files_of_pages_run_nothing_where_they_are_opened_alone(stranger: Visitor):
    for name in ("base.css", "copy.js", "icon.svg"):
        with stranger.get(f"/-/static/{name}") as answer:
            assert answer.status_code == 200
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for name in ("../web.py", "..%2f..%2fsettings.py", "%2e%2e/rendering.py", "none.css"):
        assert stranger.get(f"/-/static/{name}").status_code == 404


def test_a_page_that_nobody_signed_in_for_tells_nothing(
    app: Flask, stranger: Visitor, master: Client, sign_in: Callable[[str], Visitor]
):
    """Another user sees the same of a repo that is not shared as of one that does not exist."""
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    for rule in page_routes.rules(app, "GET"):
        if "owner" in rule.arguments:
            there = page_routes.address(rule, page_routes.NAMES)
            absent = page_routes.address(rule, page_routes.NAMES | {"repo_name": "absent"})
            assert stranger.get(there).status_code == stranger.get(absent).status_code == 303
            if "repo_name" in rule.arguments:
                seen, unseen = bob.get(there), bob.get(absent)
                assert (there, seen.status_code, unseen.status_code) == (there, 403, 403)
                assert without_tokens(seen).replace("demo", "absent") == without_tokens(unseen)


def without_tokens(page: TestResponse) -> str:
    """Return a page without the tokens against forged forms, which are never the same."""
    return re.sub(r'(value|content)="[^"]{60,}"', "", page.text)

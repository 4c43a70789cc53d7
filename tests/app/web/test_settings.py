"""The own tokens in the browser: made, shown once, rotated, revoked, within what the token may."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.app.web.visitor import Visitor
from tests.client import Client

SignIn = Callable[[str], Visitor]

SETTINGS = "/-/settings"
TOKENS = f"{SETTINGS}/tokens"
SECRET = re.compile(r"bakehouse_[A-Za-z0-9_-]{43}")


def limited(master: Client, sign_in: SignIn, **limits: object) -> Visitor:
    """Return alice, signed in with a token `ci` that has limits."""
    made = master.post("/v1/admin/users/alice/tokens", {"name": "ci", **limits})
    assert made.status_code == 201, made.text
    return sign_in(made.json["api_key"])


def names(alice: Client) -> list[str]:
    return [token["name"] for token in alice.get("/v1/tokens").json["tokens"]]


def test_the_page_lists_the_own_tokens_with_what_each_may(visitor: Visitor, alice: Client):
    until = (datetime.now(UTC) + timedelta(days=9)).isoformat(timespec="seconds")
    alice.post("/v1/tokens", {"name": "nightly", "access": "read", "repos": ["demo"], "expires_at": until})
    page = visitor.get(SETTINGS).text
    [_, first, second, *_] = page.split('<th scope="row">')
    assert "initial" in first
    assert "in use here" in first
    assert "by the operator" in first
    assert "nightly" in second
    assert "in use here" not in second
    assert "read only" in second
    assert "only demo" in second
    assert "with initial" in second
    assert until[:10] in second
    assert "bakehouse_" not in page


def test_a_new_token_is_shown_once_and_works_within_its_limits(visitor: Visitor, alice: Client):
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    answer = visitor.post(TOKENS, name="ci", access="read", repos="demo\nbob/lab, other", expires_at=day)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    [secret] = set(SECRET.findall(answer.text))
    made = Client(visitor.app, secret).get("/v1/me").json["token"]
    assert (made["name"], made["access"], made["made_with"]) == ("ci", "read", "initial")
    assert made["repos"] == ["demo", "bob/lab", "other"]
    assert made["expires_at"] == f"{day}T23:59:59+00:00"
    assert secret not in visitor.get(SETTINGS).text
    assert names(alice) == ["initial", "ci"]


def test_a_form_with_mistakes_is_shown_again_with_each_at_its_field(visitor: Visitor, alice: Client):
    answer = visitor.post(TOKENS, name="a b", access="read", repos="demo\n../x", expires_at="2020-01-01")
    assert answer.status_code == 422
    for message in ("This name must start with a letter", "This must be in the future"):
        assert message in answer.text
    assert 'value="a b"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert names(alice) == ["initial"]
    taken = visitor.post(TOKENS, name="initial", access="write")
    assert taken.status_code == 409
    assert "User &#39;alice&#39; already has a token &#39;initial&#39;" in taken.text
    assert visitor.post(TOKENS, name="x", access="all").status_code == 422


def test_a_rotated_token_has_a_new_secret_and_whoever_uses_it_here_stays_signed_in(visitor: Visitor, alice: Client):
    asked = visitor.get(f"{TOKENS}/initial/rotate").text
    assert "Rotate the token initial of yours?" in asked
    assert "You stay signed in here." in asked
    assert alice.get("/v1/me").status_code == 200  # the question changes nothing
    answer = visitor.post(f"{TOKENS}/initial/rotate")
    [secret] = set(SECRET.findall(answer.text))
    assert alice.get("/v1/me").status_code == 401
    assert Client(visitor.app, secret).get("/v1/me").status_code == 200
    assert visitor.get(SETTINGS).status_code == 200


def test_a_revoked_token_is_gone_and_the_one_in_use_ends_its_session(visitor: Visitor, alice: Client):
    alice.post("/v1/tokens", {"name": "ci"})
    assert "It is the last token" not in visitor.get(f"{TOKENS}/ci/revoke").text
    answer = visitor.post(f"{TOKENS}/ci/revoke")
    assert (answer.status_code, answer.location) == (303, SETTINGS)
    assert "The token ci is revoked." in visitor.get(SETTINGS).text
    assert names(alice) == ["initial"]
    asked = visitor.get(f"{TOKENS}/initial/revoke").text
    assert "will be signed out" in asked
    assert "It is the last token" in asked
    answer = visitor.post(f"{TOKENS}/initial/revoke")
    assert (answer.status_code, answer.location) == (303, "/-/sign-in")
    assert visitor.get(SETTINGS).status_code == 303
    assert alice.get("/v1/me").status_code == 401


def test_a_read_only_token_is_offered_nothing_but_itself_and_refused_the_rest(
    master: Client, sign_in: SignIn, alice: Client
):
    reader = limited(master, sign_in, access="read")
    page = reader.get(SETTINGS).text
    assert "is for reading only, and may rotate or revoke no token but itself." in page
    assert f'action="{TOKENS}"' not in page
    assert f"{TOKENS}/ci/revoke" in page
    assert f"{TOKENS}/initial/revoke" not in page
    asked = reader.get(f"{TOKENS}/initial/revoke")
    sent = reader.post(TOKENS, name="x", access="read"), reader.post(TOKENS), reader.post(f"{TOKENS}/initial/revoke")
    for answer in (asked, *sent):
        assert answer.status_code == 403
        assert "may rotate or revoke no token but itself" in answer.text
    assert names(alice) == ["initial", "ci"]
    assert reader.post(f"{TOKENS}/ci/rotate").status_code == 201


@pytest.mark.usefixtures("alice")
def test_a_token_for_some_repos_sees_and_makes_only_such(master: Client, sign_in: SignIn):
    some = limited(master, sign_in, repos=["demo"])
    page = some.get(SETTINGS).text
    assert f"{TOKENS}/ci/rotate" in page
    assert f"{TOKENS}/initial" not in page
    answer = some.post(TOKENS, name="x", access="write")
    assert answer.status_code == 403
    assert "may not make or change a token for others" in answer.text
    assert some.post(TOKENS, name="x", access="write", repos="demo").status_code == 201


def test_what_is_no_token_is_not_found(visitor: Visitor):
    for act in ("rotate", "revoke", "print"):
        assert visitor.get(f"{TOKENS}/nothing/{act}").status_code == 404
        assert visitor.post(f"{TOKENS}/nothing/{act}").status_code in (404, 405)


def test_nothing_changes_without_the_token_of_a_form(visitor: Visitor, alice: Client):
    for path in (TOKENS, f"{TOKENS}/initial/rotate", f"{TOKENS}/initial/revoke"):
        assert visitor.client.post(path, data={"name": "x", "access": "read"}).status_code == 400
    assert names(alice) == ["initial"]
    assert alice.get("/v1/me").status_code == 200


def test_a_stranger_is_led_to_the_sign_in(stranger: Visitor, app: Flask):
    for path in (SETTINGS, "/-/users"):
        assert stranger.get(path).location == f"/-/sign-in?next={path}"
    assert Client(app, None).get(SETTINGS).status_code == 303

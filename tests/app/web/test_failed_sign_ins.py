"""Sign-ins that fail are counted as failed logins of the API, and no secret is told to anybody."""

import logging
from types import SimpleNamespace

import pytest
from flask import Flask

from app.wire import failed_logins
from tests import page_routes
from tests.app.web import attacks
from tests.app.web.visitor import Visitor
from tests.client import Client, assert_error
from tests.server import MASTER_KEY

MOST = 30  # failed logins of an address, before each has to wait


@pytest.fixture
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass in which a failed login is paid off."""
    monkeypatch.setattr(failed_logins, "time", SimpleNamespace(monotonic=lambda: 1000.0))


@pytest.mark.usefixtures("standing_clock")
def test_failed_sign_ins_count_as_failed_logins(app: Flask, stranger: Visitor, alice: Client, visitor: Visitor):
    for number in range(MOST // 2):
        assert stranger.post("/-/sign-in", token=f"wrong-{number}").status_code == 401
        assert Client(app, f"wrong-{number}").get("/v1/repo").status_code == 401
    assert stranger.post("/-/sign-in", token="wrong-again").status_code == 401
    refused = stranger.post("/-/sign-in", token="wrong-again")
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many logins from your address have failed" in refused.text
    assert_error(Client(app, "wrong").get("/v1/repo"), 429, "RATE_LIMITED")
    assert stranger.post("/-/sign-in", token=MASTER_KEY).status_code == 429
    assert Visitor(app).post("/-/sign-in", token=alice.token).status_code == 303
    assert visitor.get("/alice/demo/tree").status_code == 200


@pytest.mark.usefixtures("standing_clock")
def test_who_has_no_cookie_or_an_old_one_counts_as_no_failed_login(app: Flask, stranger: Visitor, visitor: Visitor):
    stranger.client.set_cookie("bakehouse_session", "forged")
    for _ in range(2 * MOST):
        assert stranger.get("/alice/demo/tree").status_code == 303
    assert Visitor(app).post("/-/sign-in", token=MASTER_KEY).status_code == 303
    assert visitor.get("/alice/demo/tree").status_code == 200


@pytest.mark.parametrize("place", ["token", "reason", "csrf_token"])
def test_a_wrong_secret_is_told_nowhere(stranger: Visitor, caplog: pytest.LogCaptureFixture, place: str):
    caplog.set_level(logging.DEBUG)
    secret = "bakehouse_" + "Secret-of-alice".ljust(43, "x")
    answer = stranger.post("/-/sign-in", **{"token": "wrong", place: secret})
    assert answer.status_code in (400, 401)
    assert secret not in answer.text + str(answer.headers) + caplog.text


def test_secrets_are_told_nowhere_after_the_sign_in(app: Flask, alice: Client, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    attacks.fill(alice)
    told = []
    for secret in (alice.token, MASTER_KEY):
        visitor = Visitor(app)
        answer = visitor.post("/-/sign-in?next=/alice/demo/tree", token=secret)
        told += [answer.text, str(answer.headers)]
        for address in page_routes.addresses(page_routes.rules(app, "GET"), page_routes.NAMES):
            page = visitor.get(address)
            told += [page.data.decode("latin-1"), str(page.headers)]
    everything = "".join(told) + caplog.text
    for secret in (
        alice.token,
        MASTER_KEY,
        app.secret_key,
        app.extensions["bakehouse"].accounts.find("alice").tokens[0].sha256,
    ):
        assert secret not in everything

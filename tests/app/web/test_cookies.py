"""The cookie of a sign-in: what it holds, where it is sent, when it ends, and that nobody makes one."""

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from app import create_app
from app.settings import Settings
from app.web import session
from tests import page_routes
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.seams import set_clock, wait_until
from tests.server import MASTER_KEY

SignIn = Callable[[str], Visitor]
NOW = 1_790_000_000  # seconds since 1970


def cookie_of(visitor: Visitor) -> str:
    """Return the cookie of somebody who signed in."""
    cookie = visitor.client.get_cookie(session.COOKIE)
    assert cookie is not None
    return cookie.value


def visitor_with(app: Flask, cookie: str) -> Visitor:
    """Return a browser with a cookie that somebody put there."""
    visitor = Visitor(app)
    visitor.client.set_cookie(session.COOKIE, cookie)
    return visitor


def is_signed_in(visitor: Visitor) -> bool:
    """Tell whether somebody may see the list of their repos, and every page else."""
    status = visitor.get("/-/search?q=bread").status_code
    assert status in (200, 303)
    return status == 200


def test_the_cookie_goes_to_no_script_and_to_no_other_site(stranger: Visitor, alice: Client):
    header = stranger.post("/-/sign-in", token=alice.token).headers["Set-Cookie"]
    flags = {part.strip().partition("=")[0]: part.strip().partition("=")[2] for part in header.split(";")}
    assert {"HttpOnly", "Expires"} <= flags.keys()
    assert (flags["SameSite"], flags["Path"]) == ("Lax", "/")
    assert not {"Secure", "Domain"} & flags.keys()


@pytest.mark.parametrize(
    ("public_url", "base_url", "headers", "is_secure"),
    [
        ("https://bake.example", "http://localhost", {}, True),
        ("http://bake.example", "https://localhost", {"Referer": "https://localhost/"}, True),
        (None, "https://localhost", {"Referer": "https://localhost/"}, True),
        (None, "http://localhost", {}, False),
        ("http://bake.example", "http://localhost", {}, False),
        # gunicorn says who may tell of TLS; what everybody can send, the application does not believe
        (None, "http://localhost", {"X-Forwarded-Proto": "https", "Forwarded": "proto=https"}, False),
    ],
)
def test_the_cookie_is_for_tls_alone_where_there_is_tls(
    public_url: str | None, base_url: str, headers: dict[str, str], is_secure: bool, tmp_path: Path
):
    app = create_app(Settings(tmp_path, master_key=MASTER_KEY, public_url=public_url))
    client = app.test_client()
    options = {"base_url": base_url, "headers": headers}
    form = {"token": MASTER_KEY, "csrf_token": Visitor.token_in(client.get("/", **options).text)}
    answer = client.post("/-/sign-in", data=form, **options)
    assert answer.status_code == 303
    assert all(("; Secure" in cookie) == is_secure for cookie in answer.headers.getlist("Set-Cookie"))


def test_over_tls_a_form_must_come_from_a_page_of_this_server(app: Flask):
    client = app.test_client()
    token = Visitor.token_in(client.get("/", base_url="https://localhost").text)
    for sender in (None, "https://evil.example/", "http://localhost/", "https://localhost.evil.example/"):
        headers = {} if sender is None else {"Referer": sender}
        form = {"token": MASTER_KEY, "csrf_token": token}
        assert client.post("/-/sign-in", base_url="https://localhost", data=form, headers=headers).status_code == 400


def test_the_cookie_holds_no_secret(app: Flask, visitor: Visitor, operator: Visitor, alice: Client):
    accounts = app.extensions["bakehouse"].accounts
    hashes = [token.sha256 for token in accounts.find("alice").tokens]
    for browser in (visitor, operator):
        content = payload(cookie_of(browser))
        for secret in (alice.token, alice.token.removeprefix("bakehouse_"), *hashes, MASTER_KEY, app.secret_key):
            assert secret not in content
            assert secret not in cookie_of(browser)


def payload(cookie: str) -> str:
    """Return what a cookie says, as everybody can read it."""
    packed, data = cookie.startswith("."), cookie.lstrip(".").partition(".")[0]
    content = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    return (zlib.decompress(content) if packed else content).decode()


def test_a_cookie_that_somebody_made_or_changed_is_none(app: Flask, visitor: Visitor, master: Client):
    bob = master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"]
    assert bob
    good = cookie_of(visitor)
    _, *signature = good.removeprefix(".").split(".")
    content = json.loads(payload(good)) | {"user": None, "token": None, "until": 2**40}
    changed = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    unsigned = [".".join([changed, *signature]), changed, f"{changed}..", "", "x", good[:-1], good + "x", good[::-1]]
    keys = ["secret", "dev", MASTER_KEY]
    for cookie in [*unsigned, *(signed(content, key) for key in keys)]:
        assert not is_signed_in(visitor_with(app, cookie))
    assert is_signed_in(visitor_with(app, good))


def signed(content: dict[str, object], key: str) -> str:
    """Return a cookie as Flask signs it with a key."""
    forger = Flask("forger")
    forger.secret_key = key
    serializer = SecureCookieSessionInterface().get_signing_serializer(forger)
    assert serializer is not None
    return str(serializer.dumps(content))


def test_a_good_signature_with_another_mark_is_refused(app: Flask, visitor: Visitor):
    """Even who could sign would need the hash of the token."""
    content = json.loads(payload(cookie_of(visitor)))
    assert is_signed_in(visitor_with(app, signed(content, app.secret_key)))
    for changes in ({"mark": "0" * 64}, {"user": None}, {"user": "admin", "token": None}, {"token": "other"}):
        assert not is_signed_in(visitor_with(app, signed(content | changes, app.secret_key)))


def test_the_cookie_of_another_server_is_none(visitor: Visitor, tmp_path: Path):
    other = create_app(Settings(tmp_path / "other", master_key=MASTER_KEY))
    Client(other, MASTER_KEY).post("/v1/admin/users", {"user_id": "alice"})
    assert not is_signed_in(visitor_with(other, cookie_of(visitor)))


def test_a_sign_in_ends_after_twelve_hours_however_often_it_is_used(
    alice: Client, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
):
    clock = set_clock(monkeypatch, NOW)
    stranger.post("/-/sign-in", token=alice.token)
    cookie = cookie_of(stranger)
    for hours in (1, 6, 11.99):
        clock.now = NOW + hours * 3600
        assert is_signed_in(stranger)
    clock.now = NOW + 12 * 3600 + 1
    assert not is_signed_in(visitor_with(stranger.app, cookie))
    assert not is_signed_in(stranger)


def test_a_sign_in_ends_with_the_token(alice: Client, sign_in: SignIn):
    def of_new(name: str) -> Visitor:
        return sign_in(alice.post("/v1/tokens", {"name": name}).json["api_key"])

    revoked, rotated, replaced = of_new("revoked"), of_new("rotated"), of_new("replaced")
    assert all(map(is_signed_in, (revoked, rotated, replaced)))
    assert alice.delete("/v1/tokens/revoked").status_code == 200
    assert alice.post("/v1/tokens/rotated/rotate", {}).status_code == 200
    assert alice.delete("/v1/tokens/replaced").status_code == 200
    again = of_new("replaced")
    assert not any(map(is_signed_in, (revoked, rotated, replaced)))
    assert is_signed_in(again)


def test_a_sign_in_ends_when_the_token_expires(alice: Client, sign_in: SignIn):
    soon = datetime.now(UTC) + timedelta(seconds=3)
    visitor = sign_in(alice.post("/v1/tokens", {"name": "short", "expires_at": soon.isoformat()}).json["api_key"])
    wait_until(lambda: not is_signed_in(visitor))
    assert datetime.now(UTC) >= soon


def test_a_sign_in_ends_with_its_user(master: Client, sign_in: SignIn):
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    assert is_signed_in(bob)
    assert master.delete("/v1/admin/users/bob").status_code == 200
    assert not is_signed_in(bob)
    master.post("/v1/admin/users", {"user_id": "bob"})
    assert not is_signed_in(bob)


def test_every_sign_in_ends_with_the_master_key(app: Flask, operator: Visitor, visitor: Visitor):
    settings = app.extensions["bakehouse"].settings
    same = create_app(settings)
    other = create_app(replace(settings, master_key="another-master-key-of-tests"))
    for signed_in in (operator, visitor):
        assert is_signed_in(visitor_with(same, cookie_of(signed_in)))
        assert not is_signed_in(visitor_with(other, cookie_of(signed_in)))


@pytest.mark.usefixtures("alice")
def test_nobody_signs_in_with_what_is_on_the_disk(app: Flask):
    """Whoever reads a backup has the file of the key, and the hash of each token; not the master key."""
    services = app.extensions["bakehouse"]
    key = (services.settings.data_dir / "session.key").read_text().strip()
    (token,) = services.accounts.get("alice").tokens
    for found, is_enough in ((key, False), (app.secret_key, True)):
        mark = hmac.new(found.encode(), token.sha256.encode(), hashlib.sha256).hexdigest()
        content = {"user": "alice", "token": token.name, "mark": mark, "until": 2**40, "_permanent": True}
        assert is_signed_in(visitor_with(app, signed(content, found))) is is_enough


def test_who_removes_the_key_of_sessions_signs_everybody_out(app: Flask, visitor: Visitor):
    settings = app.extensions["bakehouse"].settings
    key = settings.data_dir / "session.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    assert not is_signed_in(visitor_with(create_app(settings), cookie_of(visitor)))


def test_a_sign_in_takes_over_nothing_of_the_session_before(app: Flask, alice: Client):
    """An attacker who puts his cookie, or his token against forged forms, into a browser gains nothing."""
    attacker = Visitor(app)
    planted_form = attacker.token()
    planted_cookie = cookie_of(attacker)
    victim = visitor_with(app, planted_cookie)
    assert victim.client.post("/-/sign-in", data={"token": alice.token, "csrf_token": planted_form}).status_code == 303
    assert cookie_of(victim) != planted_cookie
    assert is_signed_in(victim)
    assert not is_signed_in(attacker)
    assert victim.client.post("/-/sign-out", data={"csrf_token": planted_form}).status_code == 400
    assert is_signed_in(victim)


def test_the_api_and_git_take_no_cookie(app: Flask, operator: Visitor):
    page_names = page_routes.NAMES | {"path": "info/refs"}
    asked = 0
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/v1/", "/git/")):
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                path = rule.build({name: page_names.get(name, "x") for name in rule.arguments})[1]
                answer = operator.client.open(path, method=method)
                assert (path, answer.status_code) == (path, 401 if "/health" not in path else 200)
                assert "Set-Cookie" not in answer.headers
                asked += 1
    assert asked > 60

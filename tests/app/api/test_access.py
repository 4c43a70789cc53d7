"""Credentials: who is admitted, and which repos they see."""

import hmac
from ipaddress import ip_network
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.registry.messages import Origin
from app.registry.users import user_tokens
from app.settings import Settings
from app.wire.contract import contract_of
from tests.app.api.helpers import NAMES, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.server import MASTER_KEY
from tests.storage.repositories import git


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer \x00",
        f"Basic {MASTER_KEY}",
        "Basic YTpi",
        MASTER_KEY,
    ],
)
@pytest.mark.parametrize("path", ["/v1/repo", "/v1/repo/demo/targets/a", "/v1/admin/users"])
def test_wrong_credentials_are_answered_401(app: Flask, path: str, credentials: str | None):
    headers = {} if credentials is None else {"Authorization": credentials}
    response = Client(app, None).post(path, {}, **headers)
    if response.status_code == 405:
        response = Client(app, None).get(path, **headers)
    assert_error(response, 401, "UNAUTHORIZED", "oken")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_repo_of_another_user_looks_like_one_that_does_not_exist(master: Client, alice: Client):
    bob = new_user(master, "bob")
    alice.post("/v1/repo/demo/targets", target("a"))
    for path in ("/v1/repo/demo", "/v1/repo/demo/targets", "/v1/repo/demo/targets/a"):
        there, nowhere = bob.get(path), bob.get(path.replace("demo", "nope"))
        assert_error(there, 404, "RESOURCE_NOT_FOUND", "'demo'")
        assert there.text == nowhere.text.replace("nope", "demo")
    bob.post("/v1/repo", {"repo_name": "demo"})
    assert bob.get("/v1/repo/demo/targets").json == {"targets": []}


def test_only_the_master_key_acts_for_other_users(master: Client, alice: Client):
    bob = new_user(master, "bob")
    for path in ("/v1/repo/demo", "/v1/repo/nope", "/v1/repo"):
        assert_error(bob.get(path, X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")
        assert_error(bob.get(f"{path}?user_id=alice"), 403, "FORBIDDEN", "'alice'")
        assert_error(bob.get(f"{path}?user_id=bob", X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")
    assert bob.get("/v1/repo?user_id=alice", X_User_Id="bob").status_code == 200
    assert alice.get("/v1/repo/demo", X_User_Id="alice").status_code == 200


@pytest.mark.usefixtures("alice")
def test_master_key_acts_for_admin_or_the_user_named_in_query_or_header(master: Client):
    master.post("/v1/repo", {"repo_name": "own"})
    assert master.get("/v1/repo").json == {"repos": ["own"]}
    assert master.get("/v1/repo", X_User_Id="admin").json == {"repos": ["own"]}
    assert master.get("/v1/repo", X_User_Id="alice").json == {"repos": ["demo"]}
    assert master.get("/v1/repo?user_id=alice").json == {"repos": ["demo"]}
    assert master.get("/v1/repo?user_id=admin", X_User_Id="alice").json == {"repos": ["demo"]}
    assert master.get("/v1/repo?user_id=nobody").json == {"repos": []}
    assert master.get("/v1/repo?user_id=").json == {"repos": ["own"]}


def test_a_wrong_token_is_reported_before_a_wrong_user_id(app: Flask):
    nobody = Client(app, "wrong")
    for response in (nobody.get("/v1/repo", X_User_Id="../x"), nobody.get("/v1/repo?user_id=../x")):
        assert_error(response, 401, "UNAUTHORIZED")


def test_master_key_may_have_any_visible_characters(tmp_path: Path):
    for key in ("a=b", "=", 'k"', "a,b=c"):
        app = create_app(Settings(tmp_path, master_key=key))
        assert Client(app, key).get("/v1/repo").status_code == 200
        assert_error(Client(app, f"{key}x").get("/v1/repo"), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("user_id", ["../x", "a/b", "", "a b", "é", "x" * 129])
def test_bad_user_ids_are_refused(master: Client, user_id: str):
    mistake = (["query", "user_id"], "string_pattern_mismatch")
    if user_id:
        assert_mistakes(master.request("GET", "/v1/repo?user_id=" + user_id.replace(" ", "%20")), mistake)
    if user_id.isascii():
        assert_error(master.get("/v1/repo", X_User_Id=user_id), 400, "INVALID_INPUT", "X-User-Id")
    response = master.post("/v1/admin/users", {"user_id": user_id})
    assert_mistakes(response, (["body", "user_id"], "string_pattern_mismatch"))


def test_only_the_master_key_creates_users_each_once(master: Client, alice: Client):
    body = {"user_id": "bob", "user_alias": None, "user_email": "b@example.org", "password": "ignored"}
    made = master.post("/v1/admin/users", body)
    assert made.status_code == 201
    assert made.json.keys() == {"user_id", "api_key", "warnings"}
    assert_error(master.post("/v1/admin/users", body), 409, "RESOURCE_CONFLICT", "'bob'")
    assert_error(master.post("/v1/admin/users", {"user_id": "BOB"}), 409, "RESOURCE_CONFLICT")
    assert_error(alice.post("/v1/admin/users", {"user_id": "eve"}), 403, "FORBIDDEN")
    assert_mistakes(
        master.post("/v1/admin/users", {"user_id": 5, "admin": True}),
        (["body", "user_id"], "string_type"),
        (["body", "admin"], "extra_forbidden"),
    )
    assert Client(master.app, made.json["api_key"]).get("/v1/repo").json == {"repos": []}


def test_a_revoked_token_stops_working_at_once_in_every_process(app: Flask, alice: Client):
    """Two applications on one directory stand for two processes: they share nothing but files."""
    services = app.extensions["bakehouse"]
    other = create_app(services.settings)
    assert Client(other, alice.token).get("/v1/repo").status_code == 200
    assert user_tokens.revoke_all(services.accounts, Origin("operator"), "alice") == 1
    for application in (app, other):
        assert_error(Client(application, alice.token).get("/v1/repo"), 401, "UNAUTHORIZED", "revoked")


def test_tokens_are_not_stored_on_disk(app: Flask, alice: Client):
    data_dir: Path = app.extensions["bakehouse"].settings.data_dir
    history = git(data_dir / "accounts.git", "log", "-p")
    assert "Create user alice" in history
    assert "sha256" in history
    assert alice.token not in history
    for path in data_dir.rglob("*"):
        assert not path.is_file() or alice.token.encode() not in path.read_bytes()


def test_secrets_are_compared_in_constant_time(alice: Client, monkeypatch: pytest.MonkeyPatch):
    compared: list[tuple[object, object]] = []
    compare = hmac.compare_digest

    def spy(one, other):
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    assert alice.get("/v1/repo").status_code == 200
    assert (alice.token.encode(), MASTER_KEY.encode()) in compared
    assert len(compared) == 2


def test_first_start_makes_a_master_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    settings = Settings(tmp_path / "data")
    app = create_app(settings)
    path = tmp_path / "data/master.key"
    key = path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Client(app, key).get("/v1/repo").status_code == 200
    told = capsys.readouterr().err
    assert str(path) in told
    assert key not in told
    create_app(settings)
    assert capsys.readouterr().err == ""
    assert path.read_text().strip() == key


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.7", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.7", "203.0.113.9, 192.0.2.7, 127.0.0.1", "192.0.2.7"),
        ("10.0.0.7", "192.0.2.7, unknown", "10.0.0.7"),
        ("10.0.0.7", None, "10.0.0.7"),
        ("192.0.2.1", "10.0.0.7", "192.0.2.1"),
    ],
)
def test_only_trusted_proxies_tell_who_the_client_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, peer: str, told: str | None, address: str
):
    proxies = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/24"))
    app = create_app(Settings(tmp_path, master_key=MASTER_KEY, trusted_proxies=proxies))
    headers = {"Authorization": "Bearer wrong"} | ({"X-Forwarded-For": told} if told else {})
    assert app.test_client().get("/v1/repo", headers=headers, environ_base={"REMOTE_ADDR": peer}).status_code == 401
    assert f"Failed login from {address}: " in caplog.text


def test_every_operation_needs_credentials(app: Flask):
    asked = 0
    for rule in app.url_map.iter_rules():
        contract = contract_of(app.view_functions[rule.endpoint])
        if contract is None or contract.is_open:
            continue
        path = rule.build({name: NAMES[name] for name in rule.arguments})[1]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            asked += 1
            assert_error(Client(app, None).request(method, path, contract.example), 401, "UNAUTHORIZED")
    assert asked > 70

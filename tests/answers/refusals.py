"""One request for each status that a request can be refused with."""

from dataclasses import replace
from io import BytesIO
from typing import Any

from flask import Flask

from app import create_app
from app.settings import Settings
from tests.answers.recording import Recording
from tests.app.api.runs import perform_all
from tests.client import Client
from tests.payloads import made, target
from tests.server import MASTER_KEY

_OTHER = target("coding_target", temperature=0.2)
_WRONG = target("a", generators=[{"type": "persona", "numq": "ten"}])


def provoke(recording: Recording, app: Flask, alice: Client, bob: Client) -> None:
    """Have requests refused for what they ask, and for what the operator allows."""
    settings = app.extensions["bakehouse"].settings
    recording.ask(alice, "get_repo", X_User_Id="..")
    recording.ask(Client(app, "bakehouse_unknown"), "get_me")
    recording.ask(bob, "create_target", body=_OTHER, X_User_Id="alice")
    recording.ask(alice, "get_repo", repo_name="nightly")
    recording.ask(alice, "create_target", body=_OTHER)
    recording.ask(alice, "put_target", If_Match='"an-older-version"')
    recording.ask(alice, "create_target", body=b" " * (settings.max_body + 1))
    recording.ask(alice, "create_target", body=_WRONG)
    _send_slowly(recording, app, alice)
    hasty = _with_limits(alice, rate_limit=2)
    for _ in range(3):
        recording.ask(hasty, "get_me")
    _spend_budget(recording, _with_limits(alice, run_budget=155))


def damage(recording: Recording, app: Flask) -> None:
    """Damage the accounts and a repo, and ask for both."""
    settings: Settings = app.extensions["bakehouse"].settings
    for name in ("accounts.git", "repos/bob/demo.git"):
        (settings.data_dir / name / "HEAD").write_text("damaged")
    master = Client(create_app(settings), MASTER_KEY)
    recording.ask(master, "check_health")
    recording.ask(master, "get_repo", X_User_Id="bob")


def _with_limits(client: Client, **limits: int) -> Client:
    """Return a client of another server with the same data."""
    settings = replace(client.app.extensions["bakehouse"].settings, **limits)
    return Client(create_app(settings), client.token)


def _send_slowly(recording: Recording, app: Flask, client: Client) -> None:
    headers: dict[str, Any] = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
    sent = {"headers": headers, "input_stream": _Stalled(), "environ_overrides": {"CONTENT_LENGTH": "10"}}
    recording.keep("create_target", app.test_client().post("/v1/repo/demo/targets", **sent))


def _spend_budget(recording: Recording, client: Client) -> None:
    config = made("coding_target", num_traj_per_stimulus=4, max_concurrency=1)
    client.put("/v1/repo/demo/targets/expensive_target", config)
    for operation_id in ("start_stim", "start_rollout"):
        recording.ask(client, operation_id, target_name="expensive_target")
    perform_all(client.app)
    recording.ask(client, "start_rollout", target_name="expensive_target")


class _Stalled(BytesIO):
    """A body of which nothing arrives."""

    def readinto(self, _: Any) -> int:
        raise TimeoutError

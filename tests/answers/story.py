"""The requests whose answers the API page shows: of a user `alice` with a repo `demo`."""

from pathlib import Path

from flask import Flask

from app import create_app
from app.settings import Settings
from tests.answers import refusals
from tests.answers.recording import Recording
from tests.app.api.runs import perform_all, serve_models
from tests.client import Client
from tests.contracts import hold_to_contracts
from tests.faulty_proxy import FaultyProxy
from tests.payloads import asking, made
from tests.server import MASTER_KEY

_ADDRESS = "http://127.0.0.1:8080"
_OF_THE_OPERATOR = ("list_users", "get_user", "list_tokens", "read_metrics")
_RUNNABLE = made(
    "coding_target",
    generators=[{"type": "hardcoded", "questions": ["What is a linked list?", "When is a list sorted?"]}],
    num_traj_per_stimulus=1,
)


def record(folder: Path) -> Recording:
    """Return the answers of a fresh application, which keeps its data in a folder."""
    with FaultyProxy() as model:
        app = hold_to_contracts(create_app(Settings(folder, master_key=MASTER_KEY, public_url=_ADDRESS)))
        serve_models(app, model.url)
        recording = Recording(Client(app, None).get("/openapi.json").json)
        master = Client(app, MASTER_KEY)
        alice = Client(app, recording.ask(master, "create_user").json["api_key"])
        bob = Client(app, master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
        _make(recording, master, alice)
        recording.ask(bob, "list_shared")
        _run(recording, app, alice)
        bundle = alice.get("/v1/repo/demo/bundle").data
        recording.ask(alice, "import_repo", body=bundle, repo_name="copy", Content_Type="application/x-git-bundle")
        alice.delete("/v1/repo/copy")
        for operation_id in recording.unasked():
            recording.ask(master if operation_id in _OF_THE_OPERATOR else alice, operation_id)
        refusals.provoke(recording, app, alice, bob)
        _remove(recording, app, master, alice)
    return recording


def _make(recording: Recording, master: Client, alice: Client) -> None:
    """Make one of each thing, and ask what is interesting only before the next change."""
    for operation_id in ("create_token", "rotate_token"):
        recording.ask(master, operation_id)
    for operation_id in ("create_own_token", "list_own_tokens", "rotate_own_token"):
        recording.ask(alice, operation_id)
    for operation_id in ("create_repo", "create_repo", "put_repo"):
        recording.ask(alice, operation_id)
    recording.ask(alice, "put_grant", user_id="bob")
    for operation_id in ("create_prompt", "create_prompt", "put_prompt_batch", "create_target", "create_target"):
        recording.ask(alice, operation_id)
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    recording.ask(alice, "put_label")
    alice.put("/v1/repo/demo/prompts/system_prompt_v1", {"messages": [{"role": "system", "content": "Be careful."}]})
    for accept in ("", "text/x-diff"):
        recording.ask(alice, "get_prompt_diff", "?from=v1", accept=accept)
    for operation_id in ("put_prompt", "create_prompt_batch", "create_target_batch", "put_target_batch"):
        recording.ask(alice, operation_id)
    for operation_id in ("put_default_target", "get_drift", "rebase_target", "preview_target"):
        recording.ask(alice, operation_id)
    recording.ask(alice, "list_descendants", target_name="base_target")
    recording.ask(alice, "put_target")
    for accept in ("", "text/x-diff"):
        for what in ("repo", "target", "default"):
            recording.ask(alice, f"get_{what}_diff", "?from=v1", accept=accept)
    alice.put("/v1/repo/demo/labels/production", {"ref": "main", "reason": "Colder answers"})
    for operation_id in ("create_tag", "create_tag", "explain_target"):
        recording.ask(alice, operation_id)
    for operation_id in ("revert_target", "revert_prompt", "revert_default_target"):
        recording.ask(alice, operation_id, body={"to": "v1"})
    recording.ask(alice, "list_targets", "?fields=temperature,max_tokens", accept="text/csv")
    recording.ask(alice, "list_targets")
    recording.ask(alice, "get_log", "?limit=3")
    alice.put("/v1/repo/demo/targets/asking_target", made(generators=asking("Ask about {topic}.", "questions.txt")))
    for accept in ("text/plain", "application/json"):
        recording.ask(alice, "get_question_template", accept=accept)


def _run(recording: Recording, app: Flask, alice: Client) -> None:
    """Make the stimuli and the trajectories of a target: cancel the first rollout, and finish the second."""
    alice.put("/v1/repo/demo/targets/coding_target", _RUNNABLE)
    for operation_id in ("start_stim", "start_rollout", "cancel_rollout"):
        recording.ask(alice, operation_id)
    alice.post("/v1/repo/demo/targets/coding_target/rollout", None)
    perform_all(app)
    recording.ask(alice, "cancel_stim")
    for operation_id in ("get_stim_rows", "get_rollout_rows"):
        for accept in ("", "text/csv", "application/vnd.apache.parquet"):
            recording.ask(alice, operation_id, accept=accept)


def _remove(recording: Recording, app: Flask, master: Client, alice: Client) -> None:
    """Remove one of each thing, and have a repo deleted, restored, renamed and given away."""
    key = alice.get("/v1/repo/demo/targets/coding_target/rollout").json["key"]
    recording.ask(alice, "delete_run", run_key=key)
    recording.ask(alice, "delete_target", target_name="asking_target")
    for operation_id in ("delete_prompt", "delete_tag", "delete_label"):
        recording.ask(alice, operation_id)
    recording.ask(alice, "delete_grant", user_id="bob")
    for operation_id in ("delete_repo", "undelete_repo", "rename_repo", "get_repo"):
        recording.ask(alice, operation_id)
    recording.ask(alice, "preview_target")
    alice.post("/v1/repo/nightly/rename", {"name": "demo"})
    recording.ask(master, "transfer_repo", X_User_Id="alice")
    recording.ask(alice, "revoke_own_token")
    recording.ask(master, "create_token")
    for operation_id in ("revoke_token", "change_user", "remove_user"):
        recording.ask(master, operation_id)
    refusals.damage(recording, app)

"""Each write that changes something tells the reason that came with it: in its commits, or in its tag."""

from typing import Any

import pytest
from flask import Flask

from storage.store import Store
from tests.app.api.helpers import DEFAULT, MESSAGES, PROMPTS, TARGETS, new_user, put
from tests.app.api.runs import make_target
from tests.app.api.write_routes import writes
from tests.client import Client
from tests.payloads import made, target

WHY = "The freeze is over"
REPO = "/v1/repo/demo"
USERS = "/v1/admin/users"
BUNDLE = {"Content_Type": "application/x-git-bundle"}

# By endpoint and method: the address, and the body.
WRITES: dict[tuple[str, str], tuple[str, Any]] = {
    ("accounts.create_user", "POST"): (USERS, {"user_id": "dora"}),
    ("accounts.change_user", "PATCH"): (f"{USERS}/bob", {"user_alias": "Bob B."}),
    ("accounts.remove_user", "DELETE"): (f"{USERS}/carol", None),
    ("accounts.create_token", "POST"): (f"{USERS}/bob/tokens", {"name": "other"}),
    ("accounts.rotate_token", "POST"): (f"{USERS}/bob/tokens/initial/rotate", None),
    ("accounts.revoke_token", "DELETE"): (f"{USERS}/bob/tokens/initial", None),
    ("own_tokens.create_own_token", "POST"): ("/v1/tokens", {"name": "other"}),
    ("own_tokens.rotate_own_token", "POST"): ("/v1/tokens/spare/rotate", None),
    ("own_tokens.revoke_own_token", "DELETE"): ("/v1/tokens/spare", None),
    ("repos.create_repo", "POST"): ("/v1/repo", {"repo_name": "new"}),
    ("repos.put_repo", "PUT"): ("/v1/repo", {"repo_name": "new"}),
    ("repo_life.delete_repo", "DELETE"): (REPO, None),
    ("repo_life.undelete_repo", "POST"): ("/v1/repo/old/undelete", {}),
    ("repo_life.rename_repo", "POST"): (f"{REPO}/rename", {"name": "renamed"}),
    ("repo_life.transfer_repo", "POST"): (f"{REPO}/transfer?user_id=alice", {"user_id": "bob"}),
    ("importing.import_repo", "POST"): ("/v1/repo/imported/import", b""),
    ("targets.create_target", "POST"): (TARGETS, target("a", temperature=0.5)),
    ("targets.create_target_batch", "POST"): (f"{TARGETS}/batch", {"targets": [target("a"), target("b")]}),
    ("targets.put_target_batch", "PUT"): (f"{TARGETS}/batch", {"targets": [target("there", temperature=0.1)]}),
    ("targets.put_target", "PUT"): (f"{TARGETS}/there", made(temperature=0.1)),
    ("targets.delete_target", "DELETE"): (f"{TARGETS}/there", None),
    ("reverts.revert_target", "POST"): (f"{TARGETS}/there/revert", {"to": "v1"}),
    ("reverts.revert_prompt", "POST"): (f"{PROMPTS}/there/revert", {"to": "v1"}),
    ("reverts.revert_default_target", "POST"): (f"{DEFAULT}/revert", {"to": "v1"}),
    ("lineage.rebase_target", "POST"): (f"{TARGETS}/child/rebase", {}),
    ("tags.create_tag", "POST"): (f"{REPO}/tags", {"name": "v2"}),
    ("labels.put_label", "PUT"): (f"{REPO}/labels/production", {"ref": "main"}),
    ("labels.delete_label", "DELETE"): (f"{REPO}/labels/production", None),
    ("prompts.create_prompt", "POST"): (PROMPTS, {"prompt_name": "p", "messages": []}),
    ("prompts.create_prompt_batch", "POST"): (f"{PROMPTS}/batch", {"prompts": {"p": MESSAGES, "q": []}}),
    ("prompts.put_prompt_batch", "PUT"): (f"{PROMPTS}/batch", {"prompts": {"p": MESSAGES}}),
    ("prompts.put_prompt", "PUT"): (f"{PROMPTS}/there", {"messages": []}),
    ("prompts.delete_prompt", "DELETE"): (f"{PROMPTS}/there", None),
    ("defaults.put_default_target", "PUT"): (DEFAULT, {"config": {"temperature": 0.1}}),
    ("grants.put_grant", "PUT"): (f"{REPO}/grants/bob", {"access": "write"}),
    ("grants.delete_grant", "DELETE"): (f"{REPO}/grants/bob", None),
    ("runs.start_stim", "POST"): (f"{TARGETS}/carried_out/stim", None),
}
WRITE_NOTHING = {
    ("preview.preview_target", "POST"),
    ("tags.delete_tag", "DELETE"),  # is refused
    ("runs.start_rollout", "POST"),  # a worker writes the manifest later, see test_runs.py
    ("runs.cancel_stim", "POST"),
    ("runs.cancel_rollout", "POST"),
    ("runs.delete_run", "DELETE"),
}


@pytest.fixture
def full(master: Client, alice: Client) -> Client:
    """Return alice's requests; she has a repo with one of each thing, each of which was changed."""
    for user_id in ("bob", "carol"):
        new_user(master, user_id)
    alice.post("/v1/tokens", {"name": "spare"})
    alice.post("/v1/repo", {"repo_name": "old"})
    alice.delete("/v1/repo/old")
    put(alice, "there", temperature=0.5)
    put(alice, "child", "there", max_tokens=5)
    make_target(alice, "carried_out")
    alice.put(f"{PROMPTS}/there", {"messages": MESSAGES})
    alice.post(f"{REPO}/tags", {"name": "v1"})
    alice.put(f"{REPO}/labels/production", {"ref": "v1"})
    put(alice, "there", temperature=0.6)
    alice.put(f"{PROMPTS}/there", {"messages": MESSAGES[:1]})
    alice.put(DEFAULT, {"config": {"temperature": 0.9}})
    alice.put(f"{REPO}/grants/bob", {"access": "read"})
    return alice


def told(app: Flask) -> dict[str, str | None]:
    """Return the reason of each commit, by id, and of each tag, by name, of all repositories."""
    found: dict[str, str | None] = {}
    for path in app.extensions["bakehouse"].settings.data_dir.rglob("*.git"):
        repository = Store(path.parent).open(path.stem)
        commits = [logged.commit for logged in repository.log(repository.head().commit)]
        found |= {commit: repository.signature(commit).reason for commit in commits}
        found |= {tag.name: tag.signature.reason for tag in repository.tags() if tag.signature}
    return found


def test_the_table_has_every_write(app: Flask):
    assert {(rule.endpoint, method) for rule, method in writes(app)} == WRITES.keys() | WRITE_NOTHING


@pytest.mark.parametrize("write", WRITES, ids=" ".join)
def test_every_write_tells_its_reason(app: Flask, master: Client, full: Client, write: tuple[str, str]):
    address, body = WRITES[write]
    client = master if "/admin/" in address or "transfer" in address else full
    headers = {}
    if isinstance(body, bytes):
        headers, body = BUNDLE, full.get(f"{REPO}/bundle").data
    before = told(app)
    answer = client.request(write[1], address, body, X_Change_Reason=WHY, **headers)
    assert answer.status_code in (200, 201, 204), answer.text
    new = {name: reason for name, reason in told(app).items() if name not in before}
    assert new, "nothing was written"
    assert set(new.values()) == {WHY}

"""Names that mean nothing are allowed, and never silent: `warnings` of writes, `used_by` of deletions."""

from typing import Any

import pytest
from flask import Flask

from storage.transaction import Transaction
from tests.app.api.helpers import DEFAULT, MESSAGES, PROMPTS, TARGETS, put
from tests.client import Client, assert_error
from tests.payloads import asking, made, target
from tests.storage.repositories import commit_files

BATCH = f"{TARGETS}/batch"
PREVIEW = f"{TARGETS}/preview"
NO_TEACHER = "teacher_prompt: there is no prompt 'wise'. Create the prompt, or name another one."
NO_STUDENT = "student_prompt: there is no prompt 'keen'. Create the prompt, or name another one."
NO_FILE = (
    "generators.0.template_path: there is no file 'templates/ask.txt'. "
    "Send the text in template_content, or name another file."
)
DANGLING = {
    "teacher_prompt": "wise",
    "student_prompt": "keen",
    "generators": [{"type": "custom", "template_path": "templates/ask.txt"}],
}


@pytest.fixture
def then(alice: Client) -> str:
    """A commit at which the target `old` names what is not there."""
    return put(alice, "old", **DANGLING)


def test_every_write_of_a_config_warns_of_names_that_mean_nothing(alice: Client, then: str):
    answers = [
        alice.post(TARGETS, target("a", **DANGLING)),
        alice.post(TARGETS, target("a", **DANGLING)),
        alice.put(f"{TARGETS}/b", made(**DANGLING)),
        alice.put(f"{TARGETS}/b", made(**DANGLING)),
        alice.post(f"{TARGETS}/old/revert", {"to": then}),
        alice.post(PREVIEW, made(**DANGLING)),
        alice.put(DEFAULT, {"config": DANGLING}),
        alice.put(DEFAULT, {"config": DANGLING}),
    ]
    assert [answer.status_code for answer in answers] == [201, *[200] * 7]
    for answer in answers:
        assert answer.json["warnings"] == [NO_TEACHER, NO_STUDENT, NO_FILE]
    assert "warnings" not in alice.get(f"{TARGETS}/a").json
    assert "warnings" not in alice.get(DEFAULT).json


def test_nothing_is_warned_of_once_all_names_mean_something(alice: Client):
    for name in ("wise", "keen"):
        alice.put(f"{PROMPTS}/{name}", {"messages": MESSAGES})
    brings = {**DANGLING, "generators": asking("Ask")}
    elsewhere = {"student_prompt": "", "generators": [{"type": "custom", "template_path": "/data/ask.txt"}]}
    for body in (brings, elsewhere):
        for answer in (
            alice.post(PREVIEW, made(**body)),
            alice.put(f"{TARGETS}/a", made(**body)),
            alice.put(BATCH, {"targets": [target("a", **body)]}),
            alice.put(DEFAULT, {"config": body}),
        ):
            assert answer.status_code == 200
            assert "warnings" not in answer.json


def test_a_batch_gives_each_warning_once_with_the_targets_that_it_is_about(alice: Client):
    items = [target(f"t{number:02}", teacher_prompt="wise") for number in range(12)]
    warnings = alice.post(BATCH, {"targets": [*items, target("other", student_prompt="keen")]}).json["warnings"]
    first = ", ".join(f"'t{number:02}'" for number in range(10))
    assert warnings == [f"{first} and 2 more: {NO_TEACHER}", f"'other': {NO_STUDENT}"]


def test_a_rebase_warns_of_names_that_it_takes_from_the_template(alice: Client):
    put(alice, "a", temperature=0.5)
    alice.put(DEFAULT, {"config": {"teacher_prompt": "wise"}})
    for dry_run in (True, False):
        assert alice.post(f"{TARGETS}/a/rebase", {"dry_run": dry_run}).json["warnings"] == [f"'a': {NO_TEACHER}"]
    assert "warnings" not in alice.post(f"{TARGETS}/a/rebase", {}).json


def used_by(client: Client, path: str) -> Any:
    answer = client.delete(path)
    assert answer.status_code == 200, answer.text
    return answer.json["used_by"], answer.json["used_by_count"]


def test_a_deleted_prompt_answers_who_uses_it(alice: Client):
    for name in ("wise", "wis", "1", "null"):
        alice.put(f"{PROMPTS}/{name}", {"messages": MESSAGES})
    put(alice, "b", teacher_prompt="wise")
    put(alice, "a", student_prompt="wise")
    put(alice, "child", "a", temperature=0.5)
    put(alice, "numbered", teacher_prompt="1")
    put(alice, "without", "a", student_prompt=None, extra_kwargs={"teacher_prompt": "wise", "x": "wise"})
    alice.put(DEFAULT, {"config": {"teacher_prompt": "wise"}})
    assert used_by(alice, f"{PROMPTS}/wis") == ([], 0)
    assert used_by(alice, f"{PROMPTS}/null") == ([], 0)
    assert used_by(alice, f"{PROMPTS}/1") == (["numbered"], 1)
    assert used_by(alice, f"{PROMPTS}/wise") == (["default", "a", "b", "child"], 4)


def test_a_deleted_target_answers_what_was_made_from_it(alice: Client):
    put(alice, "base", temperature=0.5)
    for name in ("b", "a"):
        put(alice, name, "base", max_tokens=5)
    for tokens in (6, 7):
        put(alice, "a", "a", max_tokens=tokens)  # made from itself, and so from the base still
    put(alice, "grandchild", "a", max_tokens=8)
    assert used_by(alice, f"{TARGETS}/base") == (["a", "b"], 2)
    assert used_by(alice, f"{TARGETS}/a") == (["grandchild"], 1)
    assert used_by(alice, f"{TARGETS}/b") == ([], 0)


def test_a_long_list_of_users_is_cut_and_counted(alice: Client):
    alice.put(f"{PROMPTS}/wise", {"messages": MESSAGES})
    names = [f"t{number:03}" for number in range(120)]
    alice.post(BATCH, {"targets": [target(name, teacher_prompt="wise") for name in names]})
    assert used_by(alice, f"{PROMPTS}/wise") == (names[:100], 120)


def test_who_uses_a_prompt_is_found_without_the_lock_and_without_parsing(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    alice.put(f"{PROMPTS}/wise", {"messages": MESSAGES})
    put(alice, "a", teacher_prompt="wise")
    repository = app.extensions["bakehouse"].store.open("alice/demo")
    repository.transact(commit_files({"targets/a.yml": b"  teacher_prompt: wise\n{"}))  # no document
    read: list[str] = []
    original = Transaction.read

    def spy(transaction: Transaction, path: str):
        read.append(path)
        return original(transaction, path)

    monkeypatch.setattr(Transaction, "read", spy)
    assert used_by(alice, f"{PROMPTS}/wise") == (["a"], 1)
    assert read == ["prompts/wise.yml"]


def test_a_refused_deletion_answers_no_users(alice: Client):
    assert_error(alice.delete(f"{PROMPTS}/none"), 404, "RESOURCE_NOT_FOUND", "'none'")


def test_every_write_of_a_config_warns_of_what_no_run_takes(alice: Client):
    config = {"extra_kwargs": {"n": 2, "top_p": 0.5, "extra_body": {"api_key": "x"}}}
    answers = [
        alice.post(TARGETS, target("a", **config)),
        alice.put(f"{TARGETS}/b", made(**config)),
        alice.post(PREVIEW, made(**config)),
        alice.put(DEFAULT, {"config": config}),
    ]
    for answer in answers:
        assert answer.status_code in (200, 201)
        warned = {warning.split(":")[0] for warning in answer.json["warnings"]}
        assert warned == {"extra_kwargs.n", "extra_kwargs.extra_body.api_key"}
    assert alice.get(f"{TARGETS}/a").json["config"]["extra_kwargs"] == config["extra_kwargs"]
    batched = alice.put(BATCH, {"targets": [target("c", **config), target("d", extra_kwargs={"n": 3})]}).json
    assert any(warning.startswith("'c', 'd': extra_kwargs.n: ") for warning in batched["warnings"])

"""A question template belongs to the targets, and the default, whose `files` name it."""

import pytest
import yaml
from flask import Flask

from storage.snapshot import Snapshot
from tests.app.api.helpers import DEFAULT, TARGETS, count, demo, log, put, show
from tests.client import Client, assert_error
from tests.payloads import asking, made, target
from tests.storage.repositories import commit_files

BATCH = f"{TARGETS}/batch"
ASK = "templates/ask.txt"


def owned(app: Flask, name: str) -> dict[str, str]:
    """Return the files of a target."""
    files: dict[str, str] = yaml.safe_load(show(app, f"targets/{name}.yml")).get("files", {})
    return files


def is_there(app: Flask, path: str = ASK) -> bool:
    return path in demo(app, "ls-tree", "-r", "--name-only", "main").split()


def naming(path: str = ASK) -> list[dict[str, str]]:
    """Return generators that name a question template without its text, as answers do."""
    return [{"type": "custom", "template_path": path}]


@pytest.mark.parametrize("owner", ["a", "default"])
def test_content_in_use_by_another_is_a_conflict_that_names_the_owner(app: Flask, alice: Client, owner: str):
    then = put(alice, "b", generators=asking("B"))
    alice.delete(f"{TARGETS}/b")
    if owner == "a":
        put(alice, "a", generators=asking("A"))
    else:
        alice.put(DEFAULT, {"config": {"generators": asking("A")}})
    before = count(app)
    brings = target("b", generators=asking("B"))
    refused = [
        alice.post(TARGETS, brings),
        alice.put(f"{TARGETS}/b", made(generators=asking("B"))),
        alice.post(BATCH, {"targets": [target("c"), brings]}),
        alice.put(BATCH, {"targets": [target("c"), brings]}),
        alice.post(f"{TARGETS}/b/revert", {"to": then}),
    ]
    if owner == "a":
        refused.append(alice.put(DEFAULT, {"config": {"generators": asking("B")}}))
    for answer in refused:
        assert_error(answer, 409, "RESOURCE_CONFLICT", f"'{ASK}'", f"is used by '{owner}'.")
    assert (show(app, ASK), count(app)) == ("A", before)


def test_the_only_owner_replaces_the_content(app: Flask, alice: Client):
    for content in ("one", "two"):
        put(alice, "a", generators=asking(content))
        assert show(app, ASK) == content
    assert alice.put(BATCH, {"targets": [target("a", generators=asking("three"))]}).status_code == 200
    assert show(app, ASK) == "three"
    assert_error(alice.post(TARGETS, target("a", generators=asking("four"))), 409, "RESOURCE_CONFLICT", "Use PUT")


def test_owners_of_the_same_content_share_the_file_until_the_last_is_deleted(app: Flask, alice: Client):
    for name in ("a", "b"):
        put(alice, name, generators=asking("same"))
    assert owned(app, "a") == owned(app, "b") == {ASK: demo(app, "rev-parse", f"main:{ASK}").strip()}
    refused = alice.put(f"{TARGETS}/a", made(generators=asking("other")))
    assert_error(refused, 409, "RESOURCE_CONFLICT", "is used by 'b'.")
    alice.delete(f"{TARGETS}/a")
    assert is_there(app)
    alice.delete(f"{TARGETS}/b")
    assert log(app, "-1", "--name-status", "--format=").split() == ["D", "targets/b.yml", "D", ASK]


def test_all_owners_may_replace_a_shared_file_in_one_batch(app: Flask, alice: Client):
    for name in ("a", "b"):
        put(alice, name, generators=asking("same"))
    items = [target(name, generators=asking("other")) for name in ("a", "b")]
    assert alice.put(BATCH, {"targets": items}).json["created"] == ["a", "b"]
    assert owned(app, "a") == owned(app, "b") == {ASK: demo(app, "rev-parse", f"main:{ASK}").strip()}
    assert show(app, ASK) == "other"


def test_a_batch_may_hand_a_file_from_one_target_to_another(app: Flask, alice: Client):
    put(alice, "a", generators=asking("A"))
    items = [target("a", temperature=0.5), target("b", generators=asking("B"))]
    for batch in (items, [target("b", temperature=0.5), target("a", generators=asking("A"))][::-1]):
        assert alice.put(BATCH, {"targets": batch}).status_code == 200
    assert (owned(app, "b"), show(app, ASK)) == ({}, "A")


def test_a_file_goes_with_the_put_or_revert_after_which_nobody_names_it(app: Flask, alice: Client):
    without = put(alice, "a", temperature=0.5)
    for leave in (
        lambda: put(alice, "a", temperature=0.5),
        lambda: alice.post(f"{TARGETS}/a/revert", {"to": without}),
        lambda: put(alice, "a", "a", generators=None),
        lambda: alice.put(BATCH, {"targets": [target("a", temperature=0.5)]}),
    ):
        put(alice, "a", generators=asking("A"))
        assert is_there(app)
        before = count(app)
        leave()
        assert (is_there(app), count(app)) == (False, before + 1)
    alice.put(DEFAULT, {"config": {"generators": asking("D")}})
    alice.put(DEFAULT, {"config": {}})
    assert not is_there(app)


def test_a_file_stays_while_a_target_made_from_its_owner_names_it(app: Flask, alice: Client):
    put(alice, "a", generators=asking("A"))
    put(alice, "child", "a", temperature=0.5)
    alice.delete(f"{TARGETS}/a")
    assert is_there(app)
    refused = alice.put(f"{TARGETS}/b", made(generators=asking("B")))
    assert_error(refused, 409, "RESOURCE_CONFLICT", "is used by 'child'.")
    alice.delete(f"{TARGETS}/child")
    assert not is_there(app)


def test_new_content_warns_of_the_targets_that_name_the_file_without_owning_it(alice: Client):
    put(alice, "a", generators=asking("A"))
    names = [f"child{number:02}" for number in range(12)]
    alice.post(BATCH, {"targets": [target(name, "a", temperature=0.5) for name in names]})
    warnings = alice.put(f"{TARGETS}/a", made(generators=asking("B"))).json["warnings"]
    first = ", ".join(f"'{name}'" for name in names[:10])
    assert warnings == [f"'{ASK}' has new content, and is also used by {first} and 2 more"]
    assert "warnings" not in alice.put(f"{TARGETS}/a", made(generators=asking("B"))).json


def test_a_change_that_names_a_file_without_its_text_keeps_it(app: Flask, alice: Client):
    """Answers hold the path and not the text, so clients send back the path."""
    put(alice, "a", generators=asking("A"))
    files = owned(app, "a")
    put(alice, "a", "a", temperature=0.5)
    assert owned(app, "a") == files
    put(alice, "a", generators=naming(), temperature=0.7)
    assert owned(app, "a") == files
    alice.put(DEFAULT, {"config": {"generators": asking("D", "default.txt")}})
    config = alice.get(DEFAULT).json["config"]
    alice.put(DEFAULT, {"config": {**config, "temperature": 0.5}})
    assert "files:" in show(app, "defaults/target.yml")
    assert (show(app, ASK), show(app, "templates/default.txt")) == ("A", "D")


def test_a_rebase_writes_no_content_over_a_file_of_another(app: Flask, alice: Client):
    put(alice, "a", generators=asking("A"))
    put(alice, "a", "a", generators=naming("elsewhere.txt"))
    put(alice, "b", generators=asking("B"))
    put(alice, "a", "a", generators=naming())
    assert (owned(app, "a"), show(app, ASK)) == ({}, "B")
    alice.put(DEFAULT, {"config": {"temperature": 0.5}})
    for dry_run in (True, False):
        refused = alice.post(f"{TARGETS}/a/rebase", {"dry_run": dry_run})
        assert_error(refused, 409, "RESOURCE_CONFLICT", f"'{ASK}'", "is used by 'b'.")
    alice.put(f"{TARGETS}/b", made(temperature=0.7))
    alice.post(f"{TARGETS}/a/rebase", {})
    assert show(app, ASK) == "A"
    assert list(owned(app, "a")) == [ASK]


def test_owners_are_searched_only_where_content_differs_and_once_a_batch(
    alice: Client, monkeypatch: pytest.MonkeyPatch
):
    """A repo may have 10,000 targets. What a version names is kept, so a search reads each version once."""
    names = [f"t{number}" for number in range(20)]
    alice.post(BATCH, {"targets": [target(name, generators=asking(name, f"{name}.txt")) for name in names]})
    read: list[str] = []
    original = Snapshot.read

    def spy(snapshot: Snapshot, path: str):
        read.append(path)
        return original(snapshot, path)

    monkeypatch.setattr(Snapshot, "read", spy)
    alice.post(TARGETS, target("plain", temperature=0.5))
    alice.post(TARGETS, target("brings", generators=asking("new", "new.txt")))
    alice.put(f"{TARGETS}/t0", made("t0", temperature=0.5))
    assert not {path for path in read if path.startswith("targets/")} & {f"targets/{name}.yml" for name in names[1:]}
    read.clear()
    items = [target(name, generators=asking("other", f"{name}.txt")) for name in names]
    assert alice.put(BATCH, {"targets": items}).status_code == 200
    assert all(read.count(f"targets/{name}.yml") == 1 for name in names)
    read.clear()
    alice.put(f"{TARGETS}/t0", made(generators=asking("third", "t0.txt")))
    assert {path for path in read if path.startswith("targets/")} == {"targets/t0.yml"}


def test_a_damaged_target_can_be_deleted(app: Flask, alice: Client):
    put(alice, "a", generators=asking("A"))
    put(alice, "b", temperature=0.5)
    repository = app.extensions["bakehouse"].store.open("alice/demo")
    repository.transact(commit_files({"targets/a.yml": b"{"}))
    assert alice.delete(f"{TARGETS}/a").status_code == 200
    assert is_there(app)


def test_a_text_that_holds_the_path_of_a_file_does_not_use_the_file(app: Flask, alice: Client):
    put(alice, "a", generators=asking("one"))
    notes = {"one": f"see {ASK}: for more", "two": f"{ASK}: {'0' * 40}", "three": f"first\n  {ASK}: {'0' * 40}\n"}
    put(alice, "other", extra_kwargs=notes)
    put(alice, "a", generators=asking("two"))
    assert show(app, ASK) == "two"
    alice.delete(f"{TARGETS}/a")
    assert not is_there(app)

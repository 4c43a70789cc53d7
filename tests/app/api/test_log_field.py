"""`log?field=`: the commits that changed one field of any file, with what they changed there."""

import random
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from app import create_app
from storage import field_index
from storage.block_file import NAME
from tests.app.api.changes import change_something
from tests.app.api.helpers import MESSAGES, PROMPTS, TARGETS, Limited, demo, new_token, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import made, target
from tests.seams import count_parses, count_processes
from tests.timeline import ELEVEN, LOG, TEN, commit_by_hand, commits, demo_repository, put_target, rev_list, set_clock

FIELDS = [
    *("temperature", "/temperature", "max_tokens", "generators", "generators.0", "generators.0.numq", "generators.1"),
    *("generators.0.questions", "generators.0.questions.1", "extra_kwargs", "/extra_kwargs/a~1b", "/extra_kwargs/~0/y"),
    *("/extra_kwargs/a~1b/1/0", "messages.0.content", "template", "overrides", "overrides.temperature"),
    *("grants.bob", "nothing", "/", "temperature.0"),
]


def keys_of(field: str) -> list[str]:
    if field.startswith("/"):
        return [key.replace("~1", "/").replace("~0", "~") for key in field[1:].split("/")]
    return field.split(".")


def look(value: Any, keys: list[str]) -> list[Any]:
    """Return a list of the value at a place, or an empty one."""
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return []
    return [value]


def filtered(commits: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    """Return what `field` leaves of a log: a filter in Python over all commits and their changes."""
    keys, found = keys_of(field), []
    for commit in commits:
        files = []
        for file in commit["files"]:
            changes = []
            for change in file["changes"] or []:
                place = keys_of(change["field"])
                sides = {side: [change[side]] for side in ("old", "new") if side in change}
                if place[: len(keys)] == keys:
                    changes.append(change)
                elif keys[: len(place)] == place:
                    inner = {side: look(value[0], keys[len(place) :]) for side, value in sides.items()}
                    old, new = inner.get("old", []), inner.get("new", [])
                    if repr(old) != repr(new):
                        pointer = "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)
                        sides = {"old": old, "new": new}
                        changes.append({"field": pointer, **{side: value[0] for side, value in sides.items() if value}})
            if changes:
                files.append({**file, "changes": changes})
        if files:
            found.append({**commit, "files": files})
    return found


def walk(client: Client, query: str) -> list[dict[str, Any]]:
    """Return the commits on all pages of a query."""
    found, before = [], ""
    while before is not None:
        answer = client.get(f"{LOG}?{query}&before={before}")
        assert answer.status_code == 200, answer.text
        found += answer.json["commits"]
        assert not before or answer.json["next"] != before
        before = answer.json["next"]
    return found


@pytest.mark.parametrize(("seed", "size"), [(0, 256), (1, 8), (2, 5), (3, 1)])
def test_it_equals_a_filter_over_the_whole_log(
    app: Flask, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch, seed: int, size: int
):
    """With blocks of several sizes, while the repo grows, at old commits, and with other filters."""
    monkeypatch.setattr(field_index, "COMMITS", size)
    chance = random.Random(seed)
    new_user(master, "bob")
    for _ in range(3):
        for _ in range(12):
            change_something(app, alice, chance)
        ref = chance.choice(rev_list(app))
        for rest in ("", f"&ref={ref}", "&path=targets/a", "&path=targets/a.yml&author=alice", "&author=nobody"):
            whole = walk(alice, f"limit=100&full=true{rest}")
            for field in FIELDS:
                for limit in (100, 2) if not rest else (100,):
                    found = walk(alice, f"field={quote(field)}&limit={limit}&full=true{rest}")
                    assert found == filtered(whole, field), (field, rest)


def put_some(client: Client, count: int, name: str = "a") -> list[str]:
    """Change a target's `max_tokens` again and again, and return the commits, newest first."""
    return [put_target(client, name, max_tokens=number + 1) for number in range(count)][::-1]


def found(client: Client, query: str) -> list[str]:
    return [commit["commit"] for commit in walk(client, query)]


def test_only_the_field_is_told_of_only_the_files_that_have_it(alice: Client, monkeypatch: pytest.MonkeyPatch):
    batch = {"targets": [target("a", temperature=0.5, max_tokens=5), target("b", max_tokens=5)]}
    alice.post(f"{TARGETS}/batch", batch)
    batch = {"targets": [target("a", temperature=0.75, max_tokens=6), target("b", max_tokens=6)]}
    alice.put(f"{TARGETS}/batch", batch)
    set_clock(monkeypatch, TEN)
    alice.delete(f"{TARGETS}/a")
    answer = alice.get(f"{LOG}?field=temperature").json
    deleted, updated, created, of_repo = answer["commits"]
    assert (deleted["time"], answer["next"]) == (TEN, None)
    assert [file["changes"] for file in deleted["files"]] == [[{"field": "/temperature", "old": 0.75}]]
    [file] = updated["files"]
    assert (file["path"], file["action"]) == ("targets/a.yml", "updated")
    assert file["changes"] == [{"field": "/temperature", "old": 0.5, "new": 0.75}]
    assert [file["changes"][0]["new"] for file in created["files"]] == [0.5, 1.0]
    assert [file["path"] for file in of_repo["files"]] == ["defaults/target.yml"]


def test_a_field_within_a_list_or_object_is_told_alone_and_a_list_with_all_within(alice: Client):
    generators = [{"type": "oneshot_qs", "numq": 5}, {"type": "persona", "numq": 6}]
    first = put_target(alice, "a", generators=generators, extra_kwargs={"a.b": {"c": 1}})
    generators = [{"type": "oneshot_qs", "numq": 5}, {"type": "persona", "numq": 7}]
    second = put_target(alice, "a", generators=generators, extra_kwargs={"a.b": {"c": 2}})
    for field, old, new in (
        ("generators.1.numq", 6, 7),
        ("/generators/1/numq", 6, 7),
        ("/extra_kwargs/a.b/c", 1, 2),
        ("/extra_kwargs/a.b", 1, 2),
        ("generators", 6, 7),
    ):
        newer, older = alice.get(f"{LOG}?field={field}&path=targets/").json["commits"]
        assert (newer["commit"], older["commit"]) == (second, first)
        [change] = newer["files"][0]["changes"]
        assert (change["old"], change["new"]) == (old, new)
    [only] = alice.get(f"{LOG}?field=generators.0.numq&path=targets/").json["commits"]
    assert only["files"][0]["changes"] == [{"field": "/generators/0/numq", "new": 5}]


def test_fields_of_prompts_grants_and_templates_are_found(master: Client, alice: Client):
    new_user(master, "bob")
    prompt = alice.put(f"{PROMPTS}/p", {"messages": MESSAGES}).headers["Git-Commit"]
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    alice.put(f"{TARGETS}/b", made("default"))
    rebased = alice.put(f"{TARGETS}/a", made("b")).headers["Git-Commit"]
    assert found(alice, "field=messages.1.content") == [prompt]
    [grant] = alice.get(f"{LOG}?field=grants.bob").json["commits"]
    assert grant["files"][0]["changes"] == [{"field": "/grants/bob", "new": "read"}]
    assert found(alice, "field=template")[0] == rebased


def test_it_is_combined_with_the_other_filters(master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch):
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    set_clock(monkeypatch, TEN)
    first = put_target(alice, "a", temperature=0.5)
    bobs = bob.put(f"{TARGETS}/a", made(temperature=0.6), X_User_Id="alice").headers["Git-Commit"]
    set_clock(monkeypatch, ELEVEN)
    body = made(temperature=0.7)
    other = alice.put(f"{TARGETS}/b", body, X_Change_Reason="Warmer").headers["Git-Commit"]
    last = put_target(alice, "a", temperature=0.8)
    assert found(alice, "field=temperature&path=targets/") == [last, other, bobs, first]
    assert found(alice, "field=temperature&path=targets/&author=bob") == [bobs]
    assert found(alice, "field=temperature&reason=warm") == [other]
    assert found(alice, f"field=temperature&since={ELEVEN}") == [last, other]
    assert found(alice, f"field=temperature&path=targets/a.yml&until={TEN}") == [bobs, first]
    assert found(alice, f"field=temperature&path=targets/&ref={bobs}") == [bobs, first]
    assert commits(alice, f"field=temperature&path=targets/&before={other}") == [bobs, first]
    assert found(alice, f"field=temperature&since={ELEVEN}&until={TEN}") == []
    assert found(alice, "field=temperature&path=..a") == []


def test_a_page_goes_on_where_an_answer_has_read_enough(limited: Limited, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(field_index, "COMMITS", 8)
    client = limited(max_parsed=80_000)
    expected = put_some(client, 40)
    sizes = count_parses(monkeypatch)
    query, before, read = "field=max_tokens&path=targets/&limit=100", "", []
    while before is not None:
        answer = client.get(f"{LOG}?{query}&before={before}").json
        read += [commit["commit"] for commit in answer["commits"]]
        before = answer["next"]
        assert sum(sizes) < 80_000
        sizes.clear()
    assert read == expected
    pages_ = [client.get(f"{LOG}?field=nothing&before={before}").json for before in ("", expected[20])]
    assert [page["commits"] for page in pages_] == [[], []]
    assert found(client, "field=nothing") == []


def test_once_derived_no_file_is_read_for_a_field_that_nobody_changed(alice: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(field_index, "COMMITS", 8)
    put_some(alice, 20)
    assert found(alice, "field=nothing") == []
    sizes, commands = count_parses(monkeypatch), count_processes(monkeypatch)
    assert found(alice, "field=nothing") == []
    assert found(alice, "field=max_concurrency.x") == []
    assert (sizes, [command for command in commands if "log" in command]) == ([], [])


def test_wrong_fields_are_refused(alice: Client):
    for field in ("a..b", ".a", "a.", "a/b", "~", "/a~2", "a%0Ab", "x" * 1001, "/a~"):
        assert_mistakes(alice.get(f"{LOG}?field={field}"), (["query", "field"], "string_pattern_mismatch"))
    for field in ("nothing", "/", "//", "/%20", "é", "0"):
        assert alice.get(f"{LOG}?field={field}").json["commits"] == []


def test_it_needs_read_access(master: Client, alice: Client):
    bob = new_user(master, "bob")
    put_some(alice, 2)
    query = f"{LOG}?field=max_tokens"
    own = alice.get(query).json
    assert new_token(master, access="read").get(query).json == own
    assert_error(bob.get(query), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
    assert_error(bob.get(query, X_User_Id="alice"), 403, "FORBIDDEN", "'alice'")
    assert_error(Client(alice.app, None).get(query), 401, "UNAUTHORIZED")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert len(bob.get(query, X_User_Id="alice").json["commits"]) == len(own["commits"])


def test_files_that_cannot_be_read_have_no_fields_and_hide_no_others(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    commit_by_hand(app, {"targets/a.yml": b"- no target\n", "targets/b.yml": b"config: {temperature: 1}\n"})
    [by_hand, target_, _] = alice.get(f"{LOG}?field=temperature").json["commits"]
    assert target_["commit"] == first
    assert [file["path"] for file in by_hand["files"]] == ["targets/b.yml"]


def test_a_change_in_more_places_than_the_index_names_is_found(alice: Client):
    many = {f"k{number}": number for number in range(100)}
    first = put_target(alice, "a", extra_kwargs=many)
    second = put_target(alice, "a", extra_kwargs={**dict.fromkeys(many, 0), "k5": 5})
    third = put_target(alice, "a", extra_kwargs={**dict.fromkeys(many, 1), "deep": {"a": {"b": {"c": 1}}}})
    assert found(alice, "field=extra_kwargs.k5&path=targets/") == [third, first]
    assert found(alice, "field=extra_kwargs.k7&path=targets/") == [third, second, first]
    assert found(alice, "field=extra_kwargs.deep.a.b.c") == [third]
    assert found(alice, "field=extra_kwargs.deep.a.b.d") == []


def kept(app: Flask) -> int:
    """Return how many blocks of the index are on disk."""
    path = demo_repository(app).path / NAME
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path)) as file:
        return file.execute("SELECT count(*) FROM blocks").fetchone()[0]


def test_full_blocks_are_kept_on_disk_and_read_by_the_next_process(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(field_index, "COMMITS", 8)
    expected = put_some(alice, 30)
    assert found(alice, "field=max_tokens&path=targets/") == expected
    assert kept(app) == 31 // 8
    settings = app.extensions["bakehouse"].settings
    again = Client(create_app(settings), alice.token)
    sizes = count_parses(monkeypatch)
    assert found(again, "field=nothing") == []
    assert len(sizes) <= 2 * (31 % 8) + 2  # the newest commits, and an account
    assert found(again, "field=max_tokens&path=targets/") == expected
    demo(app, "gc", "--quiet")
    demo(app, "fsck", "--strict")

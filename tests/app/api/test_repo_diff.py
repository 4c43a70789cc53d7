"""`/v1/repo/{repo_name}/diff`: what changed in a whole repo between two commits."""

import base64
import json
from typing import Any

import pytest
from flask import Flask

from tests.app.api.helpers import DEFAULT, MESSAGES, PROMPTS, TARGETS, Limited, demo, new_token, new_user
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking, target
from tests.seams import count_parses, count_processes
from tests.storage.repositories import off_the_branch, settle, two_alike
from tests.timeline import ELEVEN, LOG, TEN, TWELVE, commit_by_hand, demo_repository, put_target, set_clock, tip

DIFF = "/v1/repo/demo/diff"
TEXT = {"Accept": "text/x-diff"}


def diff(client: Client, query: str, **headers: str) -> dict[str, Any]:
    """Return the answer to a query."""
    answer = client.get(f"{DIFF}?{query}", **headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def told(answer: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    """Return the kind, name and action of each file."""
    return [(file["kind"], file["name"], file["action"]) for file in answer["files"]]


def counts(created: int = 0, updated: int = 0, deleted: int = 0) -> dict[str, int]:
    return {"created": created, "updated": updated, "deleted": deleted}


def test_every_kind_of_file_is_told_with_its_fields_and_who_changed_it_last(
    app: Flask, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    new_user(master, "bob")
    alice.put(f"{PROMPTS}/gone", {"messages": MESSAGES})
    put_target(alice, "a", temperature=0.5, max_tokens=5)
    first = put_target(alice, "same", temperature=0.5)
    put_target(alice, "a", temperature=0.6)
    set_clock(monkeypatch, TEN)
    changed = put_target(alice, "a", temperature=0.75)
    subject = alice.get(LOG).json["commits"][0]["subject"]
    set_clock(monkeypatch, ELEVEN)
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    alice.put(DEFAULT, {"config": {"temperature": 0.25}})
    alice.delete(f"{PROMPTS}/gone")
    alice.put(f"{PROMPTS}/p", {"messages": MESSAGES})
    asks = alice.put(f"{TARGETS}/asks", {"template": "default", "overrides": {"generators": asking("What?")}})
    last = commit_by_hand(app, {"notes.txt": b"by hand", "targets/notes.txt": b"no target"})
    answer = diff(alice, f"from={first}")
    assert told(answer) == [
        ("default", None, "updated"),
        ("other", None, "created"),
        ("prompt", "gone", "deleted"),
        ("prompt", "p", "created"),
        ("repo", None, "updated"),
        ("target", "a", "updated"),
        ("target", "asks", "created"),
        ("other", None, "created"),
        ("question_template", "ask.txt", "created"),
    ]
    assert answer["counts"] == counts(created=5, updated=3, deleted=1)
    assert (answer["from"]["commit"], answer["to"]["commit"], answer["next"]) == (first, last, None)
    assert answer["to"]["subject"] == "Change"
    files = {file["path"]: file for file in answer["files"]}
    author = {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": "initial"}
    assert files["targets/a.yml"] == {
        "kind": "target",
        "name": "a",
        "path": "targets/a.yml",
        "action": "updated",
        "version": demo(app, "rev-parse", f"{last}:targets/a.yml").strip(),
        "changes": [{"field": "/max_tokens", "old": 5}, {"field": "/temperature", "old": 0.5, "new": 0.75}],
        "changed": {"commit": changed, "author": author, "time": TEN, "subject": subject, "reason": None},
    }
    assert {"field": "/temperature", "old": 1.0, "new": 0.25} in files["defaults/target.yml"]["changes"]
    assert files["repo.yml"]["changes"] == [{"field": "/grants", "new": {"bob": "read"}}]
    assert files["prompts/gone.yml"]["changes"] == [{"field": "/messages", "old": MESSAGES}]
    assert files["templates/ask.txt"]["changed"]["commit"] == asks.headers["Git-Commit"]
    for path, file in files.items():
        assert file["changed"]["commit"] == demo(app, "log", "-1", "--format=%H", last, "--", path).strip()


def test_nothing_else_changed_is_one_call(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    for name in "bcd":
        put_target(alice, name, temperature=0.5)
        alice.delete(f"{TARGETS}/{name}")
    put_target(alice, "a", temperature=0.75)
    answer = diff(alice, f"from={first}&limit=1")
    assert (answer["counts"], answer["next"]) == (counts(updated=1), None)
    assert told(answer) == [("target", "a", "updated")]


def test_a_commit_beside_itself_is_an_empty_answer(alice: Client):
    commit = put_target(alice, "a", temperature=0.5)
    for query in ("from=main", f"from={commit}&to={commit[:12]}", "from=HEAD&path=targets/"):
        answer = diff(alice, query)
        assert (answer["files"], answer["counts"], answer["next"]) == ([], counts(), None)
        assert alice.get(f"{DIFF}?{query}", **TEXT).text == ""


def test_from_and_to_take_every_kind_of_ref_in_either_order(alice: Client, monkeypatch: pytest.MonkeyPatch):
    made = []
    for number, moment in enumerate((TEN, ELEVEN, TWELVE)):
        set_clock(monkeypatch, moment)
        made.append(put_target(alice, "a", max_tokens=number + 1))
    alice.post("/v1/repo/demo/tags", {"name": "v1", "ref": made[0]})
    for query, old, new in (
        ("from=v1", 1, 3),
        ("from=v1&to=main", 1, 3),
        (f"from={TEN}&to={ELEVEN}", 1, 2),
        (f"from={made[1][:12]}&to=v1", 2, 1),
        (f"from=HEAD&to={made[1]}", 3, 2),
    ):
        answer = diff(alice, query)
        [file] = answer["files"]
        assert file["changes"] == [{"field": "/max_tokens", "old": old, "new": new}]
        assert [answer[side]["commit"] for side in ("from", "to")] == [made[old - 1], made[new - 1]]
        assert file["changed"]["commit"] == made[new - 1]


def test_a_file_that_was_made_after_to_has_no_commit_that_changed_it(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    second = put_target(alice, "b", temperature=0.5)
    [file] = diff(alice, f"from={second}&to={first}")["files"]
    assert (file["action"], file["version"], file["changed"]) == ("deleted", None, None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("targets/a.yml", ["targets/a.yml"]),
        ("targets/", ["targets/a.yml", "targets/ab.yml", "targets/b.yml"]),
        ("targets/a", ["targets/a.yml", "targets/ab.yml"]),
        ("targets/?.yml", ["targets/a.yml", "targets/b.yml"]),
        ("**/a.yml", ["prompts/a.yml", "targets/a.yml"]),
        ("nothing", []),
    ],
)
def test_path_means_the_same_files_as_in_the_log(app: Flask, alice: Client, path: str, expected: list[str]):
    first = tip(app)
    for name in ("a", "ab", "b"):
        put_target(alice, name, temperature=0.5)
    alice.put(f"{PROMPTS}/a", {"messages": MESSAGES})
    answer = diff(alice, f"from={first}&path={path}")
    assert [file["path"] for file in answer["files"]] == expected
    assert answer["counts"] == counts(created=len(expected))
    text = alice.get(f"{DIFF}?from={first}&path={path}", **TEXT).text
    assert [line.split(" b/")[1] for line in text.splitlines() if line.startswith("diff --git")] == expected


def walk(client: Client, query: str) -> list[dict[str, Any]]:
    """Return the pages of a query."""
    pages = [diff(client, query)]
    while pages[-1]["next"]:
        pages.append(diff(client, f"{query}&cursor={pages[-1]['next']}"))
    return pages


def test_pages_have_every_file_once_while_the_tip_and_other_files_move(alice: Client):
    first = put_target(alice, "z", temperature=0.5)
    names = [f"t{number}" for number in range(7)]
    for name in names:
        put_target(alice, name, temperature=0.5)
    for limit in (1, 3, 7, 1000):
        page = diff(alice, f"from={first}&limit={limit}")
        pages = [page]
        while pages[-1]["next"]:
            put_target(alice, "a-new-one", max_tokens=len(pages) + limit)
            pages.append(diff(alice, f"from={first}&limit={limit}&cursor={pages[-1]['next']}"))
        assert [file["name"] for each in pages for file in each["files"]] == names
        assert [len(each["files"]) for each in pages] == [min(limit, 7 - start) for start in range(0, 7, limit)]
        for each in pages:
            assert (each["counts"], each["to"]) == (page["counts"], page["to"])
        alice.delete(f"{TARGETS}/a-new-one")


def test_a_cursor_of_another_query_is_refused(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    second = put_target(alice, "b", temperature=0.5)
    put_target(alice, "c", temperature=0.5)
    cursor = diff(alice, f"from={first}&limit=1")["next"]
    assert told(diff(alice, f"from={first}&cursor={cursor}")) == [("target", "c", "created")]
    for query in (f"from={second}", f"from={first}&to=main", f"from={first}&path=targets/", f"from={first}&full=true"):
        answer = alice.get(f"{DIFF}?{query}&cursor={cursor}")
        assert_mistakes(answer, (["query", "cursor"], "value_error"))
        assert "another query" in answer.json["detail"][0]["msg"]


def encoded(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_what_is_no_cursor_is_refused(alice: Client):
    old, _, new = (put_target(alice, name, temperature=0.5) for name in "abc")
    text = diff(alice, f"from={old}&limit=1")["next"]
    of_query, *rest = json.loads(base64.urlsafe_b64decode(text + "=="))
    assert rest == [1, old, new]
    for content in (
        *(1, None, {}, [], "abcd", [of_query], [of_query, 1, old], [of_query, 1, old, new, new]),
        *([of_query, -1, old, new], [of_query, True, old, new], [of_query, "1", old, new]),
        *(
            [of_query, 1, old, 5],
            [of_query, 1, old, "main"],
            [of_query, 1, old, "x" * 40],
            [of_query, 10**30, old, new],
        ),
    ):
        answer = alice.get(f"{DIFF}?from={old}&cursor={encoded(content)}")
        assert_mistakes(answer, (["query", "cursor"], "value_error"))
    for broken in ("a", "abc", "____", text[:-3]):
        assert_mistakes(alice.get(f"{DIFF}?from={old}&cursor={broken}"), (["query", "cursor"], "value_error"))
    assert_mistakes(alice.get(f"{DIFF}?from={old}&cursor=a.b"), (["query", "cursor"], "string_pattern_mismatch"))
    gone = encoded([of_query, 1, old, "1" * 40])
    assert_error(alice.get(f"{DIFF}?from={old}&cursor={gone}"), 404, "RESOURCE_NOT_FOUND", "1" * 40)
    beyond = diff(alice, f"from={old}&cursor={encoded([of_query, 2**53, old, new])}")
    assert (beyond["files"], beyond["next"]) == ([], None)


def test_bad_queries_are_refused(app: Flask, alice: Client):
    commit = put_target(alice, "a", temperature=0.5)
    for query, place, kind in (
        ("", "from", "missing"),
        ("from=", "from", "missing"),
        ("from=a~1", "from", "string_pattern_mismatch"),
        ("from=main&to=..", "to", "string_pattern_mismatch"),
        ("from=main&limit=0", "limit", "greater_than_equal"),
        ("from=main&limit=1001", "limit", "less_than_equal"),
        ("from=main&path=../x", "path", "string_pattern_mismatch"),
        ("from=main&ref=main", "ref", "extra_forbidden"),
    ):
        assert_mistakes(alice.get(f"{DIFF}?{query}"), (["query", place], kind))
    stray = off_the_branch(demo_repository(app))
    for query in ("from=nope", f"from={commit}&to=nope", f"from={stray}", "from=2001-01-01T00:00:00Z"):
        for headers in ({}, TEXT):
            assert_error(alice.get(f"{DIFF}?{query}", **headers), 404, "RESOURCE_NOT_FOUND")
    one, _ = demo_repository(app).transact(two_alike)
    assert_error(alice.get(f"{DIFF}?from={one[:4]}"), 409, "RESOURCE_CONFLICT", one[:4])
    assert_error(alice.get("/v1/repo/nope/diff?from=main"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")


def test_it_needs_read_access(master: Client, alice: Client):
    bob = new_user(master, "bob")
    first = put_target(alice, "a", temperature=0.5)
    put_target(alice, "a", temperature=0.75)
    own = diff(alice, f"from={first}")
    assert diff(new_token(master, access="read"), f"from={first}") == own
    for headers in ({}, TEXT):
        assert_error(bob.get(f"{DIFF}?from={first}", **headers), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
        assert_error(bob.get(f"{DIFF}?from={first}", X_User_Id="alice", **headers), 403, "FORBIDDEN", "'alice'")
        assert_error(Client(alice.app, None).get(f"{DIFF}?from={first}", **headers), 401, "UNAUTHORIZED")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert told(diff(bob, f"from={first}", X_User_Id="alice"))[-1] == ("target", "a", "updated")


def test_a_known_answer_is_not_sent_again(alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    second = put_target(alice, "a", temperature=0.75)
    for headers in ({}, TEXT):
        answer = alice.get(f"{DIFF}?from={first}", **headers)
        assert answer.headers["Git-Commit"] == second
        again = alice.get(f"{DIFF}?from={first}&to={second[:9]}", If_None_Match=answer.headers["ETag"], **headers)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    texts = alice.get(f"{DIFF}?from={first}", **TEXT).headers["ETag"]
    assert texts != alice.get(f"{DIFF}?from={first}").headers["ETag"]
    for other in (f"from={first}&limit=5", f"from={first}&path=targets/", f"from={second}&to={first}"):
        assert alice.get(f"{DIFF}?{other}", If_None_Match=texts, **TEXT).status_code == 200
    put_target(alice, "b", temperature=0.75)
    assert alice.get(f"{DIFF}?from={first}", If_None_Match=texts, **TEXT).status_code == 200


@pytest.mark.usefixtures("no_checkpoints")
def test_the_text_is_that_of_git_diff_also_where_only_the_journal_has_the_commits(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    alice.put(f"{PROMPTS}/p", {"messages": [{"role": "user", "content": "Grüß Gott"}]})
    second = put_target(alice, "a", temperature=0.75)
    answers = [alice.get(f"{DIFF}?{query}") for query in (f"from={first}", f"from={second}&to={first}")]
    assert [told(answer.json)[-1] for answer in answers] == [("target", "a", "updated")] * 2
    texts = [alice.get(f"{DIFF}?{query}", **TEXT) for query in (f"from={first}", f"from={second}&to={first}")]
    assert texts[0].content_type == "text/x-diff; charset=utf-8"
    assert texts[0].text == demo(app, "diff", first, second)
    assert texts[1].text == demo(app, "diff", second, first)
    assert "Grüß Gott" in texts[0].text


def test_a_text_that_is_too_long_is_refused_and_path_narrows_it(limited: Limited):
    client = limited(max_parsed=20_000)
    first = client.put(f"{TARGETS}/a", {"template": "default", "overrides": {}}).headers["Git-Commit"]
    for name in ("p", "q"):
        client.put(f"{PROMPTS}/{name}", {"messages": [{"role": "user", "content": "Word. " * 2000}]})
    assert_error(client.get(f"{DIFF}?from={first}", **TEXT), 413, "PAYLOAD_TOO_LARGE", "20000", "`path`")
    text = client.get(f"{DIFF}?from={first}&path=prompts/p.yml", **TEXT).text
    assert text.startswith("diff --git a/prompts/p.yml b/prompts/p.yml")


def test_a_page_ends_where_its_bytes_or_its_parsing_are_used_up(limited: Limited, monkeypatch: pytest.MonkeyPatch):
    client = limited(max_parsed=40_000, max_page=30_000)
    first = client.put(f"{TARGETS}/a", {"template": "default", "overrides": {}}).headers["Git-Commit"]
    for name in ("p", "q", "r"):
        client.put(f"{PROMPTS}/{name}", {"messages": [{"role": "user", "content": "Word. " * 2500}]})
    client.put(f"{PROMPTS}/s", {"messages": [{"role": "user", "content": "Word. " * 10_000}]})
    sizes = count_parses(monkeypatch)
    for query in (f"from={first}", f"from={first}&full=true"):
        pages = walk(client, query)
        assert [file["name"] for page in pages for file in page["files"]] == ["p", "q", "r", "s"]
        assert 2 <= len(pages) <= 4
        assert pages[-1]["files"][-1]["changes"] is None
        assert "git shows the change" in pages[-1]["files"][-1]["note"]
        assert {page["counts"]["created"] for page in pages} == {4}
    assert max(sizes) < 40_000


def test_unchanged_files_are_not_read_and_one_git_process_finds_who_changed_the_others(
    app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    names = [f"t{number}" for number in range(100)]
    alice.post(f"{TARGETS}/batch", {"targets": [target(name, temperature=0.5) for name in names]})
    first = tip(app)
    for name in names[:30]:
        put_target(alice, name, temperature=0.75)
    settle(demo_repository(app).path)
    sizes, commands = count_parses(monkeypatch), count_processes(monkeypatch)
    answer = diff(alice, f"from={first}")
    assert answer["counts"] == counts(updated=30)
    assert len(sizes) <= 60
    assert len([command for command in commands if "log" in command]) <= 1


def test_files_by_hand_are_told_as_far_as_they_can_be_read(app: Flask, alice: Client):
    first = put_target(alice, "a", temperature=0.5)
    put_target(alice, "Case", temperature=0.5)
    second = commit_by_hand(app, {"turned": b"a file", "targets/bad.yml": b"- no target\n", "prompts/p.yml": b"\xff"})
    third = commit_by_hand(app, {"turned": None, "targets/Case.yml": None})
    fourth = commit_by_hand(app, {"turned/into/folder.txt": b"x", "targets/case.yml": b"config: {temperature: 1}\n"})
    whole = {file["path"]: file for file in diff(alice, f"from={first}")["files"]}
    for path in ("targets/bad.yml", "prompts/p.yml"):
        assert (whole[path]["action"], whole[path]["changes"]) == ("created", None)
        assert "not written by Bakehouse" in whole[path]["note"]
        assert whole[path]["changed"]["commit"] == second
    part = diff(alice, f"from={second}")
    assert [(file["path"], file["action"], file["changed"]["commit"]) for file in part["files"]] == [
        ("targets/Case.yml", "deleted", third),
        ("targets/case.yml", "created", fourth),
        ("turned", "deleted", third),
        ("turned/into/folder.txt", "created", fourth),
    ]
    assert alice.get(f"{DIFF}?from={second}", **TEXT).text == demo(app, "diff", "--no-renames", second, fourth)


def test_a_submodule_a_symlink_and_a_mode_are_changes(app: Flask, alice: Client):
    put_target(alice, "a", temperature=0.5)
    first = put_target(alice, "b", temperature=0.5)
    path = demo_repository(app).path
    blob = demo(app, "rev-parse", "main:targets/b.yml").strip()
    entries = (
        f"160000 {'1' * 40} targets/a.yml",
        f"100755 {blob} targets/b.yml",
        "120000 inline link\ndata 1\na",
    )
    stream = "commit refs/heads/main\ncommitter Hand <hand@example.org> 4000000000 +0000\ndata 2\nBy\n"
    stream += "from refs/heads/main^0\n" + "".join(f"M {entry}\n" for entry in entries)
    settle(path)
    demo(app, "fast-import", "--quiet", stdin=stream)
    answer = diff(alice, f"from={first}")
    assert [(file["path"], file["action"], file["changes"]) for file in answer["files"]] == [
        ("link", "created", []),
        ("targets/a.yml", "updated", None),
        ("targets/b.yml", "updated", []),
    ]
    last = tip(app)
    assert alice.get(f"{DIFF}?from={first}", **TEXT).text == demo(app, "diff", first, last)

"""`…/uses`: who uses a prompt, a target or a question template, and which tags hold it."""

from typing import Any

import pytest
from flask import Flask

from tests.app.api.helpers import (
    DEFAULT,
    FILES,
    MESSAGES,
    PROMPTS,
    TARGETS,
    Limited,
    demo,
    descendants,
    new_token,
    new_user,
    put,
)
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking
from tests.seams import count_parses, count_processes
from tests.timeline import commit_by_hand, tip

ASK = "templates/ask.txt"


def uses(client: Client, address: str, query: str = "") -> dict[str, Any]:
    """Return who uses a thing."""
    answer = client.get(f"{address}/uses{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


def tag(client: Client, name: str, ref: str | None = None) -> None:
    """Make a tag."""
    assert client.post("/v1/repo/demo/tags", {"name": name, "ref": ref}).status_code == 201


def label(client: Client, name: str, ref: str = "main") -> str:
    """Move a label, and return the commit of the move."""
    answer = client.put(f"/v1/repo/demo/labels/{name}", {"ref": ref})
    assert answer.status_code in (200, 201), answer.text
    return answer.headers["Git-Commit"]


def blob(app: Flask, path: str, commit: str = "main") -> str:
    """Return the blob id of a file."""
    return demo(app, "rev-parse", f"{commit}:{path}").strip()


def test_the_targets_that_name_a_prompt_say_in_which_fields(app: Flask, alice: Client):
    alice.put(f"{PROMPTS}/p", {"messages": MESSAGES})
    put(alice, "teaches", teacher_prompt="p")
    put(alice, "both", teacher_prompt="p", v="p")
    put(alice, "learns", teacher_prompt="q", student_prompt="p")
    put(alice, "neither", teacher_prompt="q", extra_kwargs={"teacher_prompt": "p"}, model_name="student_prompt: p")
    assert uses(alice, f"{PROMPTS}/p") == {
        "prompt_name": "p",
        "exists": True,
        "version": blob(app, "prompts/p.yml"),
        "targets": [
            {"target_name": "both", "fields": ["teacher_prompt", "student_prompt"]},
            {"target_name": "learns", "fields": ["student_prompt"]},
            {"target_name": "teaches", "fields": ["teacher_prompt"]},
        ],
        "labels": [],
        "tags": [],
        "next": None,
    }
    alice.put(DEFAULT, {"config": {"student_prompt": "p"}})
    assert uses(alice, f"{PROMPTS}/p")["targets"][0] == {"target_name": "default", "fields": ["student_prompt"]}


def test_a_target_inherits_the_use_of_a_prompt(alice: Client):
    put(alice, "base", teacher_prompt="p")
    put(alice, "child", "base", temperature=0.5)
    found = uses(alice, f"{PROMPTS}/p")
    assert [user["target_name"] for user in found["targets"]] == ["base", "child"]
    put(alice, "child", "base", teacher_prompt=None)
    assert [user["target_name"] for user in uses(alice, f"{PROMPTS}/p")["targets"]] == ["base"]


def test_the_targets_that_were_made_from_a_target_say_how_they_drift(app: Flask, alice: Client):
    put(alice, "a", temperature=0.1)
    put(alice, "child", "a")
    put(alice, "current", "child")
    put(alice, "a", temperature=0.2)
    put(alice, "late", "a")
    put(alice, "lost", "late")
    alice.delete(f"{TARGETS}/late")
    found = uses(alice, f"{TARGETS}/a")
    assert (found["target_name"], found["exists"], found["version"]) == ("a", True, blob(app, "targets/a.yml"))
    assert found["targets"] == [
        {"target_name": "child", "depth": 1, "template": "a", "state": "drifted"},
        {"target_name": "current", "depth": 2, "template": "child", "state": "current"},
    ]
    gone = uses(alice, f"{TARGETS}/late")
    assert (gone["exists"], gone["version"]) == (False, None)
    assert gone["targets"] == [{"target_name": "lost", "depth": 1, "template": "late", "state": "template_gone"}]


def test_the_uses_of_a_target_agree_with_its_descendants(alice: Client):
    put(alice, "base", temperature=0.1)
    put(alice, "a", "base", max_tokens=1)
    put(alice, "a", "a", max_tokens=2)  # now its own template
    for name, template in (("b", "a"), ("c", "b"), ("d", "a"), ("e", "base")):
        put(alice, name, template)
        put(alice, name, name, max_tokens=3)
    put(alice, "a", "a", temperature=0.7)
    put(alice, "base", temperature=0.3)
    alice.delete(f"{TARGETS}/b")
    for name in ("base", "a", "d"):
        listed = [
            (use["target_name"], use["depth"], use["state"]) for use in uses(alice, f"{TARGETS}/{name}")["targets"]
        ]
        assert listed == descendants(alice, name)
    assert len(listed) == 0 < len(descendants(alice, "base"))


def test_a_question_template_is_used_by_its_owners_and_by_those_that_name_it(app: Flask, alice: Client):
    put(alice, "owner", generators=asking("one"))
    put(alice, "heir", "owner", temperature=0.5)
    put(alice, "other", generators=asking("two", "other.txt"))
    version = blob(app, ASK)
    assert uses(alice, f"{FILES}/ask.txt") == {
        "file_name": "ask.txt",
        "exists": True,
        "version": version,
        "targets": [
            {"target_name": "heir", "owned": None},
            {"target_name": "owner", "owned": version},
        ],
        "labels": [],
        "tags": [],
        "next": None,
    }


def test_tags_that_hold_it_say_which_version(app: Flask, alice: Client):
    tag(alice, "before")
    address = f"{PROMPTS}/p"
    alice.put(address, {"messages": MESSAGES})
    tag(alice, "v1")
    first, first_version = tip(app), blob(app, "prompts/p.yml")
    put(alice, "other")
    tag(alice, "v1-again")
    alice.delete(address)
    tag(alice, "without")
    alice.put(address, {"messages": []})
    tag(alice, "v2")
    second_version = blob(app, "prompts/p.yml")
    held = uses(alice, address)["tags"]
    assert [(each["name"], each["version"], each["same"]) for each in held] == [
        ("v1", first_version, False),
        ("v1-again", first_version, False),
        ("v2", second_version, True),
    ]
    assert [each["commit"] for each in held] == [demo(app, "rev-parse", f"{each['name']}^0").strip() for each in held]
    then = uses(alice, address, f"?ref={first}")
    assert then["version"] == first_version
    assert [(each["name"], each["same"]) for each in then["tags"]] == [("v1", True), ("v1-again", True), ("v2", False)]
    alice.delete(address)
    assert [each["same"] for each in uses(alice, address)["tags"]] == [False] * 3


def test_tags_hold_targets_and_question_templates_too(app: Flask, alice: Client):
    put(alice, "a", generators=asking("one"))
    tag(alice, "v1")
    put(alice, "a", generators=asking("two"))
    tag(alice, "v2")
    for address, path in ((f"{TARGETS}/a", "targets/a.yml"), (f"{FILES}/ask.txt", ASK)):
        assert uses(alice, address)["tags"] == [
            {
                "name": name,
                "commit": demo(app, "rev-parse", f"{name}^0").strip(),
                "version": blob(app, path, name),
                "same": name == "v2",
            }
            for name in ("v1", "v2")
        ]


def test_labels_that_hold_it_move_with_the_repo(app: Flask, alice: Client):
    address = f"{TARGETS}/a"
    label(alice, "early")
    first = put(alice, "a", temperature=0.1)
    one = label(alice, "production", first)
    second = put(alice, "a", temperature=0.2)
    label(alice, "nightly", second)
    versions = {commit: blob(app, "targets/a.yml", commit) for commit in (first, second)}

    def held(query: str = "") -> list[tuple[str, str, str, bool]]:
        return [
            (*(each[name] for name in ("name", "commit", "version", "same")),)
            for each in uses(alice, address, query)["labels"]
        ]

    before = alice.get(f"{address}/uses").headers["ETag"]
    assert held() == [
        ("nightly", second, versions[second], True),
        ("production", first, versions[first], False),
    ]
    label(alice, "production", second)
    assert held() == [
        ("nightly", second, versions[second], True),
        ("production", second, versions[second], True),
    ]
    assert alice.get(f"{address}/uses", If_None_Match=before).status_code == 200
    assert held(f"?ref={one}") == [("production", first, versions[first], True)]
    alice.delete(address)
    assert [(name, same) for name, _, _, same in held()] == [("nightly", False), ("production", False)]


def test_a_label_by_hand_on_no_commit_of_the_repo_holds_nothing(app: Flask, alice: Client):
    commit = put(alice, "a")
    label(alice, "production")
    text = f"commit: '{'0' * 39}1'\n".encode()
    commit_by_hand(app, {"labels/lost.yml": text})
    assert [each["name"] for each in uses(alice, f"{TARGETS}/a")["labels"]] == ["production"]
    assert uses(alice, f"{TARGETS}/a")["labels"][0]["commit"] == commit


@pytest.mark.usefixtures("no_checkpoints")
def test_tags_that_wait_for_a_checkpoint_are_told(alice: Client):
    put(alice, "a")
    tag(alice, "v1")
    commit = put(alice, "a", temperature=0.5)
    assert [(each["name"], each["same"]) for each in uses(alice, f"{TARGETS}/a")["tags"]] == [("v1", False)]
    assert uses(alice, f"{TARGETS}/a", f"?ref={commit}")["version"] != uses(alice, f"{TARGETS}/a", "?ref=v1")["version"]


def test_uses_can_be_read_at_a_ref(alice: Client):
    first = put(alice, "a", teacher_prompt="p", generators=asking("one"))
    second = put(alice, "b", "a")
    put(alice, "b")
    for address in (f"{PROMPTS}/p", f"{TARGETS}/a", f"{FILES}/ask.txt"):
        listed = {
            ref: [use["target_name"] for use in uses(alice, address, ref)["targets"]]
            for ref in (f"?ref={first}", f"?ref={second}", "")
        }
        own = [] if address.startswith(TARGETS) else ["a"]
        assert list(listed.values()) == [own, [*own, "b"], own]


@pytest.mark.parametrize(
    ("address", "kind"), [(f"{PROMPTS}/p", "Prompt"), (f"{TARGETS}/t", "Target"), (f"{FILES}/t", "Question template")]
)
def test_what_never_was_and_nobody_names_is_not_found(alice: Client, address: str, kind: str):
    name = address[-1]
    first = put(alice, "other")
    assert_error(alice.get(f"{address}/uses"), 404, "RESOURCE_NOT_FOUND", f"{kind} '{name}'")
    assert alice.get(f"{address}/uses", If_None_Match="*").status_code == 404
    named = {"generators": [{"type": "custom", "template_path": "templates/t"}], "teacher_prompt": "p"}
    if kind == "Target":
        put(alice, "t")
        put(alice, "a", "t")
        alice.delete(f"{TARGETS}/t")
    else:
        put(alice, "a", **named)
    found = uses(alice, address)
    assert (found["exists"], found["version"], [use["target_name"] for use in found["targets"]]) == (False, None, ["a"])
    assert_error(alice.get(f"{address}/uses?ref={first}"), 404, "RESOURCE_NOT_FOUND", f"{kind} '{name}'")


def test_what_was_deleted_and_nobody_names_any_more_has_no_users(alice: Client):
    alice.put(f"{PROMPTS}/p", {"messages": []})
    put(alice, "t", generators=asking("x"))
    tag(alice, "v1")
    for address in (f"{PROMPTS}/p", f"{TARGETS}/t"):
        alice.delete(address)
    for address in (f"{PROMPTS}/p", f"{TARGETS}/t", f"{FILES}/ask.txt"):
        found = uses(alice, address)
        assert (found["exists"], found["targets"], [each["name"] for each in found["tags"]]) == (False, [], ["v1"])


def test_a_deletion_tells_the_same_users(alice: Client):
    for name in ("p", "q"):
        alice.put(f"{PROMPTS}/{name}", {"messages": []})
    put(alice, "b", teacher_prompt="p")
    put(alice, "a", student_prompt="p")
    alice.put(DEFAULT, {"config": {"teacher_prompt": "p"}})
    told = [use["target_name"] for use in uses(alice, f"{PROMPTS}/p")["targets"]]
    assert alice.delete(f"{PROMPTS}/p").json["used_by"] == told == ["default", "a", "b"]
    assert alice.delete(f"{PROMPTS}/q").json["used_by"] == []


def test_uses_are_paged(limited: Limited):
    client = limited(max_page=400)
    for number in range(12):
        put(client, f"t{number:02}", teacher_prompt="p")
    client.put(f"{PROMPTS}/p", {"messages": []})
    for number in range(5):
        tag(client, f"v{number}")
        label(client, f"l{number}")
    pages, query = [], ""
    while True:
        page = uses(client, f"{PROMPTS}/p", query)
        pages.append(page)
        if page["next"] is None:
            break
        query = f"?ref={page['next']['ref']}&offset={page['next']['offset']}"
        put(client, f"new{len(pages)}", teacher_prompt="p")  # a page is as things were at the first
    assert [use["target_name"] for page in pages for use in page["targets"]] == [f"t{n:02}" for n in range(12)]
    assert [each["name"] for page in pages for each in page["tags"]] == [f"v{n}" for n in range(5)]
    assert [each["name"] for page in pages for each in page["labels"]] == [f"l{n}" for n in range(5)]
    assert len(pages) >= 4
    assert all(page["targets"] or page["labels"] or page["tags"] for page in pages)
    last = uses(client, f"{PROMPTS}/p", "?offset=1000")
    assert (last["targets"], last["labels"], last["tags"], last["next"]) == ([], [], [], None)


def test_many_targets_and_tags_cost_no_parse_and_few_processes(alice: Client, monkeypatch: pytest.MonkeyPatch):
    alice.put(f"{PROMPTS}/p", {"messages": MESSAGES})
    put(alice, "base", teacher_prompt="p", generators=asking("one"))
    batch = [{"target_name": f"t{n}", "template": "base", "overrides": {"max_tokens": n + 1}} for n in range(300)]
    assert alice.post(f"{TARGETS}/batch", {"targets": batch}).status_code == 200
    for number in range(30):
        put(alice, "base", teacher_prompt="p", generators=asking(str(number)))
        tag(alice, f"v{number}")
    parses = count_parses(monkeypatch)
    for address, users in ((f"{PROMPTS}/p", 301), (f"{TARGETS}/base", 300), (f"{FILES}/ask.txt", 301)):
        processes = count_processes(monkeypatch)
        found = uses(alice, address)
        assert (len(found["targets"]), len(found["tags"])) == (users, 30)
        assert len(processes) <= 3
        uses(alice, address)
        before = len(processes)
        alice.get(f"{address}/uses?offset=1")
        assert len(processes) == before
    assert parses == []


def test_known_uses_are_answered_304(alice: Client):
    put(alice, "a", teacher_prompt="p", generators=asking("one"))
    for address in (f"{PROMPTS}/p", f"{TARGETS}/a", f"{FILES}/ask.txt"):
        seen = alice.get(f"{address}/uses")
        known = alice.get(f"{address}/uses", If_None_Match=seen.headers["ETag"])
        assert (known.status_code, known.data) == (304, b"")
        tag(alice, f"v{address.count('s')}-{address[-1]}")
        tagged = alice.get(f"{address}/uses", If_None_Match=seen.headers["ETag"])
        assert (tagged.status_code, tagged.headers["ETag"] != seen.headers["ETag"]) == (200, True)


def test_who_may_ask(master: Client, alice: Client):
    put(alice, "a", teacher_prompt="p", generators=asking("one"))
    reader, bob = new_token(master, access="read"), new_user(master, "bob")
    for address in (f"{PROMPTS}/p", f"{TARGETS}/a", f"{FILES}/ask.txt"):
        assert reader.get(f"{address}/uses").json == uses(alice, address)
        assert_error(bob.get(f"{address}/uses"), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
        assert_error(bob.get(f"{address}/uses", X_User_Id="alice"), 403, "FORBIDDEN")
        alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
        assert bob.get(f"{address}/uses", X_User_Id="alice").json == uses(alice, address)
        alice.delete("/v1/repo/demo/grants/bob")


def test_wrong_requests_are_refused(alice: Client):
    put(alice, "a")
    for query, parameter, kind in (
        ("offset=-1", "offset", "greater_than_equal"),
        ("offset=x", "offset", "int_parsing"),
        ("ref=a~1", "ref", "string_pattern_mismatch"),
        ("limit=1", "limit", "extra_forbidden"),
    ):
        assert_mistakes(alice.get(f"{TARGETS}/a/uses?{query}"), (["query", parameter], kind))
    mistake = (["path", "target_name"], "string_pattern_mismatch")
    assert_mistakes(alice.get(f"{TARGETS}/default/uses"), mistake)
    for name in ("a%20b", "%C3%A9", "x" * 256):
        mistake = (["path", "file_name"], "string_pattern_mismatch")
        assert_mistakes(alice.get(f"{FILES}/{name}/uses"), mistake)


def test_a_prompt_that_somebody_put_there_by_hand_has_uses(app: Flask, alice: Client):
    put(alice, "a", teacher_prompt="p")
    commit_by_hand(app, {"prompts/p.yml": b"- no document\n", "targets/odd.yml": b"config:\n  teacher_prompt: p\n"})
    found = uses(alice, f"{PROMPTS}/p")
    assert found["exists"]
    assert [use["target_name"] for use in found["targets"]] == ["a", "odd"]


@pytest.mark.parametrize("name", ["null", "true", "No", "1.0", "0o7", "1e3", "2026-01-01", "y", "default", "a.yml"])
def test_a_prompt_whose_name_yaml_takes_for_something_else_has_uses(alice: Client, name: str):
    alice.put(f"{PROMPTS}/{name}", {"messages": []})
    put(alice, "a", teacher_prompt=name, student_prompt="")
    put(alice, "b", student_prompt=name, generators=[{"type": "custom", "model": f"\n  teacher_prompt: {name}\n"}])
    assert uses(alice, f"{PROMPTS}/{name}")["targets"] == [
        {"target_name": "a", "fields": ["teacher_prompt"]},
        {"target_name": "b", "fields": ["student_prompt"]},
    ]

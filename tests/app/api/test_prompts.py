"""`/v1/repo/{repo_name}/prompts`: create, read, replace, delete, list, batches."""

import json
from typing import Any

import pytest
import yaml
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.api.helpers import MESSAGES, PROMPTS, TOOLS, demo, log, show
from tests.client import Client, assert_error, assert_mistakes

TOOL_TALK = [
    {"content": None, "role": "assistant", "tool_calls": [{"id": "1", "function": {"arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "no"}, {}], "z": 1.0, "a": 1},
    {"role": "user"},
]


def prompt(name: str = "greeting", **fields: Any) -> dict[str, Any]:
    return {"prompt_name": name, "messages": MESSAGES, **fields}


def test_creating_a_prompt_again_is_200_and_differently_409(app: Flask, alice: Client):
    created = alice.post(PROMPTS, prompt())
    assert created.status_code == 201
    assert created.headers["Location"] == f"{PROMPTS}/greeting"
    assert created.json == {"prompt_name": "greeting", "messages": MESSAGES}
    again = alice.post(PROMPTS, prompt(tools=None))
    assert (again.status_code, again.json) == (200, created.json)
    assert "Location" not in again.headers
    for other in (prompt(tools=[]), prompt(messages=[])):
        assert_error(alice.post(PROMPTS, other), 409, "RESOURCE_CONFLICT", "Prompt 'greeting' already exists")
    assert alice.get(f"{PROMPTS}/greeting").json == created.json
    assert yaml.safe_load(show(app, "prompts/greeting.yml")) == {"messages": MESSAGES}
    text = log(app, "-1", "--format=%an%n%B")
    assert text.startswith(
        "Alice\nCreate prompt greeting: 2 messages\n\n"
        "messages.0 (system) added:\n+ You are terse.\nmessages.1 (user) added:\n+ Hello\n\nRequest-Id: "
    )


def test_a_prompt_of_any_shape_is_answered_to_the_byte(alice: Client):
    alice.put(f"{PROMPTS}/odd", {"messages": TOOL_TALK, "tools": TOOLS})
    text = alice.get(f"{PROMPTS}/odd").text
    expected = {"prompt_name": "odd", "messages": TOOL_TALK, "tools": TOOLS}
    assert text == json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.text(min_size=1)},
    optional={
        "content": st.none() | st.text() | st.lists(st.dictionaries(st.text(), JSON, max_size=2), max_size=2),
        "further": JSON,
    },
)


@given(st.lists(MESSAGE, max_size=3))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_messages_are_answered_as_they_were_sent(alice: Client, messages):
    sent = json.dumps({"messages": messages}, ensure_ascii=False).encode()
    assert alice.put(f"{PROMPTS}/any", sent).status_code == 200
    answer = alice.get(f"{PROMPTS}/any").text
    assert json.dumps(json.loads(answer)["messages"]) == json.dumps(messages)


def test_put_replaces_a_prompt_and_heeds_conditions(app: Flask, alice: Client):
    path = f"{PROMPTS}/greeting"
    first = alice.put(path, {"messages": MESSAGES, "tools": TOOLS}, If_None_Match="*")
    assert first.status_code == 200
    blob = demo(app, "rev-parse", "main:prompts/greeting.yml").strip()
    assert first.headers["ETag"] == f'"{blob}"'
    assert first.headers["Git-Commit"] == log(app, "-1", "--format=%H").strip()
    fresh = alice.get(path, If_None_Match=first.headers["ETag"])
    assert (fresh.status_code, fresh.data) == (304, b"")
    assert_error(alice.put(path, {"messages": []}, If_None_Match="*"), 412, "PRECONDITION_FAILED", "'greeting'")
    assert_error(alice.put(path, {"messages": []}, If_Match='"x"'), 412, "PRECONDITION_FAILED", blob)
    replaced = alice.put(path, {"messages": []}, If_Match=first.headers["ETag"])
    assert replaced.json == {"prompt_name": "greeting", "messages": []}
    assert log(app, "-1", "--format=%s") == "prompt greeting: 2 messages removed, tools changed\n"
    commits = log(app, "--format=%H")
    assert alice.put(path, {"messages": []}).headers["ETag"] == replaced.headers["ETag"]
    assert log(app, "--format=%H") == commits


def test_delete_removes_a_prompt_and_heeds_if_match(app: Flask, alice: Client):
    path = f"{PROMPTS}/greeting"
    etag = alice.post(PROMPTS, prompt()).headers["ETag"]
    assert_error(alice.delete(path, If_Match='"x"'), 412, "PRECONDITION_FAILED")
    deleted = alice.delete(path, If_Match=etag)
    assert (deleted.status_code, deleted.json["message"]) == (200, "Prompt 'greeting' deleted")
    assert deleted.headers["Git-Commit"] == log(app, "-1", "--format=%H").strip()
    assert log(app, "-1", "--format=%an: %s") == "Alice: Delete prompt greeting\n"
    assert_error(alice.get(path), 404, "RESOURCE_NOT_FOUND", "Prompt 'greeting'")
    assert_error(alice.delete(path), 404, "RESOURCE_NOT_FOUND", "Prompt 'greeting'")
    assert_error(alice.delete(path, If_Match=etag), 404, "RESOURCE_NOT_FOUND", "Prompt 'greeting'")
    assert alice.get(PROMPTS).json == {"prompts": []}
    assert alice.post(PROMPTS, prompt()).status_code == 201


def test_list_of_prompts_is_sorted_and_has_an_etag(app: Flask, alice: Client):
    empty = alice.get(PROMPTS)
    assert empty.json == {"prompts": []}
    for name in ("b", "a.b", "a"):
        alice.post(PROMPTS, prompt(name))
    listed = alice.get(PROMPTS)
    assert listed.json == {"prompts": ["a", "a.b", "b"]}
    assert listed.headers["ETag"] == f'"{demo(app, "rev-parse", "main:prompts").strip()}"'
    assert listed.headers["Git-Commit"] == log(app, "-1", "--format=%H").strip()
    assert alice.get(PROMPTS, If_None_Match=listed.headers["ETag"]).status_code == 304
    assert alice.get(PROMPTS, If_None_Match=empty.headers["ETag"]).status_code == 200


def test_prompts_whose_names_differ_only_in_case_are_a_conflict(alice: Client):
    alice.post(PROMPTS, prompt("alpha"))
    assert_error(alice.post(PROMPTS, prompt("Alpha")), 409, "RESOURCE_CONFLICT", "'Alpha'", "'alpha'")
    assert_error(alice.put(f"{PROMPTS}/ALPHA", {"messages": []}), 409, "RESOURCE_CONFLICT", "'ALPHA'")
    batch = {"prompts": {"new": MESSAGES, "alphA": MESSAGES}}
    assert_error(alice.post(f"{PROMPTS}/batch", batch), 409, "RESOURCE_CONFLICT", "'alphA'")
    assert alice.get(PROMPTS).json == {"prompts": ["alpha"]}


@pytest.mark.parametrize(
    ("messages", "location", "kind"),
    [
        (None, [], "list_type"),
        ({}, [], "list_type"),
        (["x"], [0], "dict_type"),
        ([{}], [0, "role"], "missing"),
        ([{"role": ""}], [0, "role"], "string_too_short"),
        ([{"role": None}], [0, "role"], "string_type"),
        ([{"role": "user", "content": 5}], [0, "content"], "string_type"),
        ([{"role": "user", "content": {}}], [0, "content"], "string_type"),
        ([{"role": "user", "content": [{}, "x"]}], [0, "content", 1], "dict_type"),
    ],
)
def test_wrong_messages_are_refused(app: Flask, alice: Client, messages, location, kind):
    before = log(app, "--format=%H")
    mistake = (["body", "messages", *location], kind)
    assert_mistakes(alice.post(PROMPTS, prompt(messages=messages)), mistake)
    assert_mistakes(alice.put(f"{PROMPTS}/greeting", {"messages": messages}), mistake)
    assert log(app, "--format=%H") == before


def test_wrong_names_and_unknown_fields_are_refused(alice: Client):
    body = {"prompt_name": "batch", "tools": [1], "x": 1}
    assert_mistakes(
        alice.post(PROMPTS, body),
        (["body", "prompt_name"], "string_pattern_mismatch"),
        (["body", "messages"], "missing"),
        (["body", "tools", 0], "dict_type"),
        (["body", "x"], "extra_forbidden"),
    )
    assert_mistakes(alice.get(f"{PROMPTS}/.x"), (["path", "prompt_name"], "string_pattern_mismatch"))
    assert_error(alice.get("/v1/repo/nope/prompts"), 404, "RESOURCE_NOT_FOUND", "Repo 'nope'")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_batch_of_prompts_is_one_commit(app: Flask, alice: Client, method: str):
    alice.put(f"{PROMPTS}/a", {"messages": []})
    alice.put(f"{PROMPTS}/same", {"messages": MESSAGES})
    before = log(app, "--format=%H").split()
    batch = {"prompts": {"a": MESSAGES, "b": TOOL_TALK, "same": MESSAGES, "wrong": [{"content": "x"}], "w": 5}}
    answer = alice.request(method, f"{PROMPTS}/batch", batch)
    assert answer.status_code == 200
    assert answer.json == {
        "created": ["a", "b", "same"],
        "failed": {
            "wrong": "messages.0.role: This field is required",
            "w": "messages: This must be a list",
        },
        "versions": {name: demo(app, "rev-parse", f"main:prompts/{name}.yml").strip() for name in ("a", "b", "same")},
    }
    assert log(app, "--format=%H").split()[1:] == before
    assert log(app, "-1", "--format=%B").startswith(
        "Write 2 prompts: a, b\n\nprompt a: 2 messages added\n  messages.0 (system) added:\n  + You are terse.\n"
        "  messages.1 (user) added:\n  + Hello\nCreate prompt b: 3 messages\n  messages.0 ("
    )
    assert alice.get(f"{PROMPTS}/b").json["messages"] == TOOL_TALK
    assert alice.request(method, f"{PROMPTS}/batch", {"prompts": {"a": MESSAGES}}).json["created"] == ["a"]
    assert alice.request(method, f"{PROMPTS}/batch", {"prompts": {}}).json["created"] == []
    assert log(app, "--format=%H").split()[1:] == before


def test_a_batch_with_a_bad_name_is_refused(app: Flask, alice: Client):
    before = log(app, "--format=%H")
    response = alice.post(f"{PROMPTS}/batch", {"prompts": {"good": MESSAGES, "../x": MESSAGES, "": []}})
    assert_mistakes(
        response,
        (["body", "prompts", "../x"], "string_pattern_mismatch"),
        (["body", "prompts", ""], "string_pattern_mismatch"),
    )
    assert_mistakes(alice.post(f"{PROMPTS}/batch", {"prompts": []}), (["body", "prompts"], "dict_type"))
    assert log(app, "--format=%H") == before

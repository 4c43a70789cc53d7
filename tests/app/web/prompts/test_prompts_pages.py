"""The pages of prompts: messages with roles, tools, who uses a prompt; and the editor, its mistakes and conflicts."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.app.api.helpers import new_user, put
from tests.app.web.visitor import Visitor
from tests.client import Client

PROMPTS = "/alice/demo/prompts"
PAGE = f"{PROMPTS}/system"
API = "/v1/repo/demo/prompts/system"
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "You bake.\r\nYou are kind.\n"},
    {"content": [{"type": "text", "text": "Why?"}], "role": "user"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1"},
]
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"b": 1.0, "a": None}}}]

SignIn = Callable[[str], Visitor]


@pytest.fixture(autouse=True)
def prompt(alice: Client) -> None:
    """A prompt with everything that a message may have, and a target that names it."""
    assert alice.put(API, {"messages": MESSAGES, "tools": TOOLS}, X_Change_Reason="A start").status_code == 200
    put(alice, "nightly", teacher_prompt="system")


def said(text: str) -> str:
    """Return what a person reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text.partition("<main")[2])).split())


def fields(text: str) -> dict[str, Any]:
    """Return what the form of a page sends, as a browser would: lines end with CR LF."""
    form = text.partition("<main")[2]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (re.search(rf' {key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and name[1] != "csrf_token" and 'type="radio"' not in tag:
            found.setdefault(name[1], []).append(html.unescape(value[1] if value else ""))
    for name, inner in re.findall(r'<select[^>]* name="([^"]*)">(.*?)</select>', form, re.DOTALL):
        found[name] = [re.search(r'value="([^"]*)" selected', inner)[1]]
    for name, value in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        found[name] = [html.unescape(value).replace("\r\n", "\n").replace("\n", "\r\n")]
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def mistakes(text: str) -> dict[str, str]:
    """Return the mistakes that stand at fields."""
    found = re.findall(r'<p class="mistake" id="([^"]*)-error">(.*?)</p>', text)
    return {name: html.unescape(told).strip() for name, told in found}


def test_a_prompt_is_shown_as_messages_with_roles_and_tools_and_who_uses_it(visitor: Visitor, alice: Client):
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    text = visitor.get(PAGE).text
    found = said(text)
    assert "Messages: 4 system You bake. You are kind. user" in found
    assert '"text" : "Why?"' in found
    assert "assistant null" in found
    assert '"tool_calls"' in found
    assert "tool no content" in found
    assert '"name" : "look_up"' in found.partition("Tools")[2]
    assert "1 target names it: nightly" in found
    assert "A start" in found
    assert "Live as v1" in found
    assert 'href="/alice/demo/prompts/system/history"' in text
    assert visitor.get(f"{PROMPTS}/none").status_code == 404


def test_a_long_prompt_is_read_on_several_pages_and_not_edited_in_a_form(visitor: Visitor, alice: Client):
    alice.put(API, {"messages": [{"role": "user", "content": f"Question {number}."} for number in range(201)]})
    text = visitor.get(PAGE).text
    assert "Question 99." in text
    assert "Question 100." not in text
    (following,) = re.findall(r'rel="next" href="([^"]*)"', text)
    assert "Question 100." in visitor.get(html.unescape(following)).text
    assert "too long to edit here" in text
    assert "Write it with the API" in visitor.get(f"{PAGE}/edit").text


def test_prompts_are_listed_in_pages(visitor: Visitor, alice: Client):
    assert f'href="{PAGE}"' in visitor.get(PROMPTS).text
    alice.post("/v1/repo/demo/prompts/batch", {"prompts": {f"p{number:03}": [] for number in range(200)}})
    text = visitor.get(PROMPTS).text
    assert "p199" in text
    assert f'href="{PAGE}"' not in text
    assert f'href="{PAGE}"' in visitor.get(f"{PROMPTS}?page=2").text
    alice.post("/v1/repo", {"repo_name": "new"})
    assert "There is no prompt yet" in visitor.get("/alice/new/prompts").text


def test_saving_what_the_form_shows_changes_nothing(visitor: Visitor, alice: Client):
    before = alice.get(API)
    sent = fields(visitor.get(f"{PAGE}/edit").text)
    assert visitor.post(f"{PAGE}/edit", **sent, do="save").status_code == 303
    assert "you changed nothing" in visitor.get(PAGE).text
    after = alice.get(API)
    assert (after.data, after.headers["Git-Commit"]) == (before.data, before.headers["Git-Commit"])


def test_what_was_not_touched_keeps_its_bytes(visitor: Visitor, alice: Client):
    sent = fields(visitor.get(f"{PAGE}/edit").text) | {"messages.3.role": "user", "reason": "No tools"}
    visitor.post(f"{PAGE}/edit", **sent, do="save")
    answer = alice.get(API).json
    assert json.dumps(answer["messages"][:3]) == json.dumps(MESSAGES[:3])
    assert answer["messages"][3] == {"role": "user", "tool_call_id": "c1"}
    assert json.dumps(answer["tools"]) == json.dumps(TOOLS)
    (commit, _) = alice.get(f"{API}/history").json["commits"]
    assert (commit["reason"], commit["author"]["user"]) == ("No tools", "alice")


def test_messages_are_added_moved_and_removed_by_buttons_that_write_nothing(visitor: Visitor, alice: Client):
    before = alice.get(API).headers["Git-Commit"]
    page = f"{PAGE}/edit"
    sent = fields(visitor.get(page).text) | {"messages.0.content": "Typed", "reason": "Shorter"}
    sent = fields(visitor.post(page, **sent, do="message.down.0").text)
    assert [sent[f"messages.{at}.role"] for at in range(4)] == ["user", "system", "assistant", "tool"]
    sent = fields(visitor.post(page, **sent, do="message.up.1").text)
    sent = fields(visitor.post(page, **sent, do="message.remove.3").text)
    sent = fields(visitor.post(page, **sent, do="message.add").text)
    assert (sent["messages.0.content"], sent["reason"]) == ("Typed", "Shorter")
    assert (len(sent["message"]), sent["messages.3.role"]) == (4, "user")
    assert alice.get(API).headers["Git-Commit"] == before
    sent |= {"messages.3.content": "And why not?"}
    assert visitor.post(page, **sent, do="save").status_code == 303
    messages = alice.get(API).json["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert (messages[0]["content"], messages[3]["content"]) == ("Typed", "And why not?")


@pytest.mark.parametrize(
    "do", ["message.up.0", "message.down.3", "message.remove.9", "message.up.x", "message.nothing"]
)
def test_a_button_that_means_nothing_leaves_all_as_it_is(visitor: Visitor, do: str):
    page = f"{PAGE}/edit"
    sent = fields(visitor.get(page).text)
    assert fields(visitor.post(page, **sent, do=do).text) == sent


@pytest.mark.parametrize(
    ("typed", "field", "mistake"),
    [
        ({"messages.0.role": ""}, "messages.0.role", "must not be empty"),
        ({"messages.1.content": "[1"}, "messages.1.content", "The content is not JSON"),
        ({"messages.1.content": "[1]"}, "messages.1.content", "0"),
        ({"messages.1.content": '{"a": 1}'}, "messages.1.content", "This must be"),
        ({"messages.2.more": "[]"}, "messages.2.more", "a JSON object, without role and content"),
        ({"messages.2.more": '{"role": "x"}'}, "messages.2.more", "a JSON object, without role and content"),
        ({"messages.2.more": '{"a": 1, "a": 2}'}, "messages.2.more", 'the field "a" twice'),
        ({"tools": "{"}, "tools", "The tools is not JSON"),
        ({"tools": "[1]"}, "tools", "0: "),
        ({"tools": "{}"}, "tools", "This must be a list"),
        ({"reason": "x" * 2000}, "reason", "The reason"),
    ],
)
def test_mistakes_stand_at_their_fields_and_nothing_is_lost(
    visitor: Visitor, alice: Client, typed: dict[str, str], field: str, mistake: str
):
    before = alice.get(API).headers["Git-Commit"]
    sent = fields(visitor.get(f"{PAGE}/edit").text) | typed
    answer = visitor.post(f"{PAGE}/edit", **sent, do="save")
    assert answer.status_code == 422
    told = mistakes(answer.text)
    assert told.keys() == {field}
    assert mistake in told[field]
    assert fields(answer.text) == sent
    assert alice.get(API).headers["Git-Commit"] == before


def test_tools_are_removed_and_an_empty_list_stays_one(visitor: Visitor, alice: Client):
    for typed, there in (("", False), ("[]", True)):
        visitor.post(f"{PAGE}/edit", **fields(visitor.get(f"{PAGE}/edit").text) | {"tools": typed}, do="save")
        assert ("tools" in alice.get(API).json) is there


def test_where_somebody_else_wrote_both_are_shown_and_merged(visitor: Visitor, alice: Client):
    sent = fields(visitor.get(f"{PAGE}/edit").text)
    sent |= {"messages.0.content": "You bake bread.", "messages.3.role": "user", "reason": "Mine"}
    theirs = [{"role": "system", "content": "You bake cake."}, *MESSAGES[1:]]
    alice.put(API, {"messages": theirs}, X_Change_Reason="Theirs first")
    answer = visitor.post(f"{PAGE}/edit", **sent, do="save")
    assert answer.status_code == 412
    found = said(answer.text)
    assert "nothing that you typed is lost" in found
    assert "Theirs first" in found
    assert "You bake cake." in found
    assert "You bake bread." in found
    assert "tools" in found
    clash = fields(answer.text)
    (choice,) = set(re.findall(r'type="radio" name="([^"]*)"', answer.text))
    assert choice == "choice/messages/1/content"
    missed = visitor.post(f"{PAGE}/merge", **clash, do="merge")
    assert missed.status_code == 422
    assert "choose one" in missed.text
    assert alice.get(API).json["messages"] == theirs
    looked = fields(visitor.post(f"{PAGE}/merge", **clash, **{choice: "yours"}, do="look").text)
    assert (looked["messages.0.content"], looked["messages.3.role"], looked["tools"]) == ("You bake bread.", "user", "")
    assert looked["reason"] == "Mine"
    assert visitor.post(f"{PAGE}/merge", **clash, **{choice: "yours"}, do="merge").status_code == 303
    merged = alice.get(API).json
    assert merged["messages"][0]["content"] == "You bake bread."
    assert merged["messages"][3]["role"] == "user"
    assert "tools" not in merged


def test_where_the_number_of_messages_differs_one_list_wins_as_a_whole(visitor: Visitor, alice: Client):
    sent = fields(visitor.get(f"{PAGE}/edit").text) | {"messages.3.role": "user"}
    alice.put(API, {"messages": MESSAGES[:1], "tools": TOOLS})
    answer = visitor.post(f"{PAGE}/edit", **sent, do="save")
    assert answer.status_code == 412
    (choice,) = set(re.findall(r'type="radio" name="([^"]*)"', answer.text))
    assert choice == "choice/messages"
    visitor.post(f"{PAGE}/merge", **fields(answer.text), **{choice: "theirs"}, do="merge")
    assert alice.get(API).json["messages"] == MESSAGES[:1]


def test_a_second_conflict_while_merging_is_shown_again(visitor: Visitor, alice: Client):
    sent = fields(visitor.get(f"{PAGE}/edit").text) | {"messages.0.content": "Mine"}
    alice.put(API, {"messages": [{"role": "system", "content": "Theirs"}, *MESSAGES[1:]], "tools": TOOLS})
    clash = fields(visitor.post(f"{PAGE}/edit", **sent, do="save").text)
    alice.put(API, {"messages": [{"role": "system", "content": "Theirs again"}, *MESSAGES[1:]], "tools": TOOLS})
    again = visitor.post(f"{PAGE}/merge", **clash, **{"choice/messages/1/content": "yours"}, do="merge")
    assert again.status_code == 412
    assert "Theirs again" in said(again.text)
    assert "Mine" in said(again.text)


def test_a_prompt_that_was_deleted_meanwhile_can_be_made_again(visitor: Visitor, alice: Client):
    sent = fields(visitor.get(f"{PAGE}/edit").text) | {"messages.0.content": "Mine"}
    alice.delete(API)
    answer = visitor.post(f"{PAGE}/edit", **sent, do="save")
    assert answer.status_code == 412
    assert "Somebody deleted prompt 'system' meanwhile" in said(answer.text)
    assert visitor.post(f"{PAGE}/edit", **fields(answer.text), do="save").status_code == 303
    assert alice.get(API).json["messages"][0]["content"] == "Mine"


def test_a_prompt_is_created(visitor: Visitor, alice: Client):
    sent = fields(visitor.get("/alice/demo/new-prompt").text)
    sent |= {"prompt_name": "teacher", "messages.0.content": "Teach.", "reason": "New"}
    answer = visitor.post("/alice/demo/new-prompt", **sent, do="save")
    assert (answer.status_code, answer.location) == (303, f"{PROMPTS}/teacher")
    made = alice.get("/v1/repo/demo/prompts/teacher").json
    assert made == {"prompt_name": "teacher", "messages": [{"role": "system", "content": "Teach."}]}


@pytest.mark.parametrize(
    ("name", "status", "mistake"),
    [
        ("", 422, "must"),
        ("a..b", 422, "must not contain"),
        ("x" * 101, 422, "100 characters at most"),
        ("system", 409, "already exists with different content"),
        ("nul", 422, "Windows"),
    ],
)
def test_a_new_prompt_that_cannot_be_is_refused_at_its_name(
    visitor: Visitor, alice: Client, name: str, status: int, mistake: str
):
    sent = fields(visitor.get("/alice/demo/new-prompt").text) | {"prompt_name": name, "messages.0.content": "Teach."}
    answer = visitor.post("/alice/demo/new-prompt", **sent, do="save")
    assert answer.status_code == status
    told = mistakes(answer.text)
    assert told.keys() == {"prompt_name"}
    assert mistake in told["prompt_name"]
    assert fields(answer.text) == sent
    assert alice.get("/v1/repo/demo/prompts").json["prompts"] == ["system"]


def test_a_prompt_is_deleted_after_a_look_at_who_uses_it(visitor: Visitor, alice: Client):
    text = visitor.get(f"{PAGE}/delete").text
    assert "1 target names it: nightly" in said(text)
    assert "which means nothing after this" in said(text)
    alice.put(API, {"messages": []})
    stale = visitor.post(f"{PAGE}/delete", **fields(text) | {"reason": "Old"})
    assert stale.status_code == 412
    assert fields(stale.text)["reason"] == "Old"
    assert visitor.post(f"{PAGE}/delete", **fields(stale.text)).status_code == 303
    assert alice.get(API).status_code == 404


def test_a_prompt_that_is_too_large_is_refused_with_what_was_typed(visitor: Visitor):
    sent = fields(visitor.get(f"{PAGE}/edit").text) | {"messages.0.content": "é" * 600_000}
    answer = visitor.post(f"{PAGE}/edit", **sent, do="save")
    assert answer.status_code == 422
    assert "bytes or more" in mistakes(answer.text)["form"]
    assert fields(answer.text) == sent


def test_who_may_only_read_is_offered_no_change_and_refused(alice: Client, master: Client, sign_in: SignIn):
    reader = alice.post("/v1/tokens", {"name": "reader", "access": "read"}).json["api_key"]
    guest = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    for token in (reader, guest.token):
        visitor = sign_in(token)
        pages = visitor.get(PROMPTS).text + visitor.get(PAGE).text
        assert "new-prompt" not in pages
        assert "/edit" not in pages
        for path in ("prompts/system/edit", "prompts/system/merge", "prompts/system/delete", "new-prompt"):
            assert visitor.post(f"/alice/demo/{path}", version="x").status_code == 403
    assert sign_in(new_user(master, "eve").token).get(PAGE).status_code in (403, 404)


def test_an_older_state_is_shown_as_it_was(visitor: Visitor, alice: Client):
    then = alice.get(API).headers["Git-Commit"]
    alice.put(API, {"messages": [{"role": "user", "content": "Newer"}]})
    text = visitor.get(f"{PAGE}?ref={then}").text
    assert "You bake." in text
    assert "Newer" not in text
    assert "/edit" not in text


def test_texts_of_a_prompt_are_no_markup(visitor: Visitor, alice: Client):
    hostile = "</textarea><script>alert(1)</script>"
    message = {"role": hostile, "content": hostile, "more": hostile}
    alice.put(API, {"messages": [message, {"role": "user", "content": [{"text": hostile}]}], "tools": [{"a": hostile}]})
    for path in (PAGE, f"{PAGE}/edit", f"{PAGE}/delete"):
        assert "<script>alert" not in visitor.get(path).text
    sent = fields(visitor.get(f"{PAGE}/edit").text)
    assert visitor.post(f"{PAGE}/edit", **sent, do="save").status_code == 303
    assert alice.get(API).json["messages"][0] == message


def test_messages_that_differ_in_the_ends_of_lines_or_the_order_of_fields_alone_stay_apart(
    alice: Client, visitor: Visitor
):
    contents = ("a\nb", "a\r\nb", "a\rb", "a\nb")
    messages = [{"role": "user", "content": content} for content in contents]
    messages += [{"content": "same", "role": "user"}, {"role": "user", "content": "same"}]
    alice.put(API, {"messages": messages})
    before = alice.get(API)
    answer = visitor.post(f"{PAGE}/edit", **fields(visitor.get(f"{PAGE}/edit").text))
    assert answer.status_code == 303
    assert alice.get(API).headers["ETag"] == before.headers["ETag"]
    assert [message["content"] for message in alice.get(API).json["messages"][:4]] == [*contents]


def test_a_long_text_of_a_prompt_is_cut_and_the_command_shows_all_of_it(visitor: Visitor, alice: Client):
    put = alice.put(API, {"messages": [{"role": "system", "content": "x" * 800_000}, {"role": "user", "content": "y"}]})
    text = visitor.get(PAGE).text
    assert len(text) < 250_000
    assert "x" * 200_000 in text
    assert "the whole has 800000 characters" in text
    assert f"git show {put.headers['Git-Commit']}:prompts/system.yml" in text
    (following,) = re.findall(r'rel="next" href="([^"]*)"', text)
    assert '<pre class="text" tabindex="0">y</pre>' in visitor.get(html.unescape(following)).text
    alice.put(API, {"messages": [], "tools": [{"long": "z" * 800_000}]})
    assert len(visitor.get(PAGE).text) < 250_000

"""Putting things back: the preview, the change, and conflicts."""

import html
import re
from collections.abc import Callable

from tests.app.web.history.conftest import PROMPT, TARGETS, overrides, put, say
from tests.app.web.tables import table
from tests.app.web.visitor import Visitor
from tests.client import Client

BASE = "/alice/demo/targets/base/put-back"


def form(text: str) -> dict[str, str]:
    """Return the hidden fields of the page's form that puts back, and its reason."""
    inside = re.search(r'(?s)<form class="card" method="post".*?</form>', text)[0]
    found = re.findall(r'<input[^>]*name="(to|version|reason)"[^>]*value="([^"]*)"', inside)
    return {name: html.unescape(value) for name, value in found}


def preview(visitor: Visitor, address: str) -> str:
    page = visitor.get(address)
    assert page.status_code == 200, page.text
    return page.text


def test_the_preview_tells_what_would_change_and_who_is_affected(
    visitor: Visitor, alice: Client, story: dict[str, str]
):
    page = preview(visitor, f"{BASE}?to=v1")
    assert table(page) == [
        ("generators.0 removed", '{ "type": "hardcoded", "questions": [ "Two?" ] }', "not set"),
        ("generators.1 → generators.0", 'the same: { "type": "hardcoded", "questions": [ "One?" ] }'),
        ("temperature changed", "1.5", "0.5"),
    ]
    assert "1 target was made from it." in page
    assert ">target child</a>" in page
    assert form(page)["to"] == story["child"]  # the commit that the tag is on
    alice.put(f"{TARGETS}/grandchild", {"template": "child"})
    assert "1 target was made from it, and 1 more from that one." in preview(visitor, f"{BASE}?to=v1")
    page = preview(visitor, "/alice/demo/targets/grandchild/put-back?to=main")
    assert "Nobody: no target was made from it." in page
    assert "Nothing: it says now what it said then." in page


def test_putting_back_is_one_commit_with_the_reason(visitor: Visitor, alice: Client, story: dict[str, str]):
    assert story
    sent = form(preview(visitor, f"{BASE}?to=v1")) | {"reason": "100%25 was a mistake"}
    answer = visitor.post(BASE, **sent)
    assert (answer.status_code, answer.location) == (303, "/alice/demo/targets/base/history")
    page = visitor.get(answer.location).text
    assert "base is as it was." in page
    assert "<q>100%25 was a mistake</q>" in page
    entry = alice.get("/v1/repo/demo/log?limit=1").json["commits"][0]
    assert (entry["author"]["user"], entry["author"]["token"]) == ("alice", "initial")
    assert entry["subject"].startswith("Revert base to ")
    assert alice.get(f"{TARGETS}/base").json["config"]["temperature"] == 0.5
    again = visitor.post(BASE, **form(preview(visitor, f"{BASE}?to=v1")))
    assert again.status_code == 303
    assert alice.get("/v1/repo/demo/log?limit=1").json["commits"][0] == entry  # nothing was to be done


def test_a_change_meanwhile_is_told_with_both_sides(visitor: Visitor, alice: Client, story: dict[str, str]):
    assert story
    sent = form(preview(visitor, f"{BASE}?to=v1")) | {"reason": "Too hot"}
    put(alice, f"{TARGETS}/base", overrides(temperature=1.9), "Even livelier")
    before = alice.get("/v1/repo/demo/log").json
    refused = visitor.post(BASE, **sent)
    assert refused.status_code == 412
    assert alice.get("/v1/repo/demo/log").json == before
    assert "Somebody changed base since you looked at it. Nothing was put back." in refused.text
    assert "<q>Even livelier</q>" in refused.text
    first, second = refused.text.split("What this would change")[:2]
    assert ("temperature changed", "1.5", "1.9") in table(first)
    assert ("temperature changed", "1.9", "0.5") in table(refused.text[len(first) :])
    assert second
    assert form(refused.text)["reason"] == "Too hot"  # nothing that was written is lost
    assert visitor.post(BASE, **form(refused.text)).status_code == 303
    assert alice.get(f"{TARGETS}/base").json["config"]["temperature"] == 0.5


def test_a_deleted_target_is_restored(visitor: Visitor, alice: Client, story: dict[str, str]):
    assert story
    address = "/alice/demo/targets/child/put-back"
    sent = form(preview(visitor, f"{address}?to=v1"))
    alice.delete(f"{TARGETS}/child")
    refused = visitor.post(address, **sent)  # it was there when the person looked
    assert refused.status_code == 412
    assert "There is no target child now: this restores it." in refused.text
    assert visitor.post(address, **form(refused.text)).status_code == 303
    assert alice.get(f"{TARGETS}/child").json["config"]["max_tokens"] == 7
    alice.delete(f"{TARGETS}/child")
    sent = form(preview(visitor, f"{address}?to=v1"))
    assert sent["version"] == "none"
    put(alice, f"{TARGETS}/child", overrides(max_tokens=8), "Somebody else made one")
    refused = visitor.post(address, **sent)
    assert refused.status_code == 412
    assert ("max_tokens added", "not set", "8") in table(refused.text)


def test_prompts_and_the_default(visitor: Visitor, alice: Client, story: dict[str, str]):
    assert story
    put(alice, f"{TARGETS}/base", overrides(teacher_prompt="terse"), "Use it")
    page = preview(visitor, "/alice/demo/prompts/terse/put-back?to=v1")
    assert "1 target names this prompt" in page
    assert visitor.post("/alice/demo/prompts/terse/put-back", **form(page)).status_code == 303
    assert alice.get(PROMPT).json["messages"] == say("Answer in two or three warm sentences.")["messages"]
    put(alice, "/v1/repo/demo/defaults/target", {"config": {"temperature": 0.2}}, "Calmer")
    page = preview(visitor, "/alice/demo/default/put-back?to=v1")
    assert ("temperature changed", "0.2", "1.0") in table(page)
    answer = visitor.post("/alice/demo/default/put-back", **form(page))
    assert (answer.status_code, answer.location) == (303, "/alice/demo/default/history")
    assert alice.get("/v1/repo/demo/defaults/target").json["config"]["temperature"] == 1.0


def test_a_name_that_means_nothing_any_more_is_told(visitor: Visitor, alice: Client):
    put(alice, PROMPT, say("Be terse."), "Tone")
    put(alice, f"{TARGETS}/a", overrides(teacher_prompt="terse"), "With a prompt")
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    put(alice, f"{TARGETS}/a", overrides(max_tokens=3), "Without")
    alice.delete(PROMPT)
    assert "there is no prompt &#39;terse&#39;" in preview(visitor, "/alice/demo/targets/a/put-back?to=v1")


def test_what_cannot_be_put_back_is_told(visitor: Visitor, story: dict[str, str]):
    for address, status in (
        (f"{BASE}?to=nothing", 404),
        (f"{BASE}?to=a b", 422),
        (BASE, 422),
        (f"{BASE}?to={story['prompt']}", 404),
        ("/alice/demo/targets/nothing/put-back?to=v1", 404),
    ):
        assert visitor.get(address).status_code == status, address
    sent = form(preview(visitor, f"{BASE}?to=v1"))
    assert visitor.post(BASE, **(sent | {"to": "nothing"})).status_code == 404
    assert visitor.post(BASE, **(sent | {"to": ""})).status_code == 422
    assert visitor.post(BASE, **(sent | {"reason": "x" * 1001})).status_code == 400
    assert visitor.client.post(BASE, data=sent).status_code == 400  # without the token of the form


def test_only_who_may_write_puts_back(
    visitor: Visitor, master: Client, alice: Client, story: dict[str, str], sign_in: Callable[[str], Visitor]
):
    assert story
    sent = form(preview(visitor, f"{BASE}?to=v1"))
    reader = sign_in(alice.post("/v1/tokens", {"name": "reader", "access": "read"}).json["api_key"])
    assert "You may read this repo, and not change it." in preview(reader, f"{BASE}?to=v1")
    assert reader.post(BASE, **sent).status_code == 403
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    assert bob.post(BASE, **sent).status_code == 403
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    assert bob.post(BASE, **sent).status_code == 303
    assert alice.get("/v1/repo/demo/log?limit=1").json["commits"][0]["author"]["user"] == "bob"

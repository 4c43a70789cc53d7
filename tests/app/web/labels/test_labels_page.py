"""The pages of labels and tags: what is live where since when, moves with a preview, protection, and the way back."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.app.api.helpers import new_user, put
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.server import MASTER_KEY
from tests.timeline import commit_by_hand

LABELS = "/alice/demo/labels"
PAGE = f"{LABELS}/production"
API = "/v1/repo/demo/labels/production"

SignIn = Callable[[str], Visitor]


@pytest.fixture(autouse=True)
def commits(alice: Client) -> dict[str, str]:
    """Three states of a repo, the first with the label, and a prompt that differs in the last."""
    found = {"first": put(alice, "a", temperature=0.5), "second": put(alice, "a", temperature=0.75)}
    put(alice, "b", "a", max_tokens=5)
    alice.put("/v1/repo/demo/prompts/p", {"messages": [{"role": "system", "content": "Be kind."}]})
    found["third"] = alice.get("/v1/repo/demo/log").json["commits"][0]["commit"]
    moved = alice.put(API, {"ref": found["first"], "reason": "Monday's run"})
    assert moved.status_code == 200, moved.text
    return found


def said(text: str) -> str:
    """Return what a person reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text.partition("<main")[2])).split())


def hidden(text: str) -> dict[str, str]:
    """Return the hidden fields of the form of a page."""
    fields = re.findall(r'<input[^>]*type="hidden"[^>]*>', text.partition("<main")[2])
    found = {re.search(r'name="([^"]*)"', field)[1]: re.search(r'value="([^"]*)"', field) for field in fields}
    return {name: value[1] if value else "" for name, value in found.items() if name != "csrf_token"}


def test_the_list_says_what_is_live_where_since_when_by_whom_and_why(visitor: Visitor, commits: dict[str, str]):
    found = said(visitor.get(LABELS).text)
    assert f"production {commits['first'][:7]}" in found
    assert re.search(r"Alice , \d{4}-\d\d-\d\d \d\d:\d\d : Monday's run", found)
    assert "every writer" in found


def test_a_repo_without_labels_says_what_to_do(visitor: Visitor, alice: Client):
    alice.post("/v1/repo", {"repo_name": "new"})
    text = visitor.get("/alice/new/labels").text
    assert "No commit has a label yet" in said(text)
    assert "There is no tag yet" in said(text)
    assert 'href="/alice/new/new-label"' in text


def test_a_move_shows_what_would_change_and_writes_only_then(visitor: Visitor, alice: Client, commits: dict[str, str]):
    before = alice.get("/v1/repo/demo/log").json["commits"][0]["commit"]
    text = visitor.get(f"{PAGE}/move?to=main").text
    found = said(text)
    assert "Targets: 1 new, 1 with other values, 0 gone" in found
    assert re.search(r"temperature 0\.5 0\.75", found)
    assert "prompt p created" in found
    assert alice.get("/v1/repo/demo/log").json["commits"][0]["commit"] == before
    moved = visitor.post(f"{PAGE}/move", **hidden(text), reason="It is Tuesday")
    assert (moved.status_code, moved.location) == (303, PAGE)
    page = said(visitor.get(PAGE).text)
    assert "is on" in page
    assert "It is Tuesday" in page
    (move, _) = alice.get(f"{API}/history").json["moves"]
    assert (move["reason"], move["author"]["user"], move["from"]) == ("It is Tuesday", "alice", commits["first"])


def test_the_preview_is_what_is_written_though_main_goes_on(visitor: Visitor, alice: Client):
    fields = hidden(visitor.get(f"{PAGE}/move?to=main").text)
    put(alice, "c")
    visitor.post(f"{PAGE}/move", **fields)
    assert alice.get(API).json["commit"] == fields["ref"] != alice.get("/v1/repo/demo/log").json["commits"][0]["commit"]


def test_where_somebody_moved_it_meanwhile_both_are_shown_and_nothing_is_lost(
    visitor: Visitor, alice: Client, commits: dict[str, str]
):
    fields = hidden(visitor.get(f"{PAGE}/move?to={commits['third']}").text)
    alice.put(API, {"ref": commits["second"], "reason": "I was faster"})
    answer = visitor.post(f"{PAGE}/move", **fields, reason="Tuesday's run")
    found = said(answer.text)
    assert answer.status_code == 412
    assert "Somebody changed label production since you looked at it. Nothing was written." in found
    assert f"When you looked {commits['first'][:7]}" in found
    assert "I was faster" in found
    assert f"Now {commits['second'][:7]}" in found
    assert 'value="Tuesday&#39;s run"' in answer.text
    assert alice.get(API).json["commit"] == commits["second"]
    again = hidden(answer.text)
    assert again["ref"] == fields["ref"]
    assert again["version"] != fields["version"]
    assert visitor.post(f"{PAGE}/move", **again, reason="Tuesday's run").status_code == 303
    assert alice.get(API).json["commit"] == commits["third"]


def test_an_earlier_place_is_put_back_from_the_history(visitor: Visitor, alice: Client, commits: dict[str, str]):
    alice.put(API, {"ref": commits["third"]})
    text = visitor.get(PAGE).text
    (back,) = re.findall(r'href="([^"]*move\?to=[^"]*)">put it back', text)
    assert back.endswith(commits["first"])
    preview = visitor.get(back).text
    assert "Targets: 0 new, 1 with other values, 1 gone" in said(preview)
    visitor.post(f"{PAGE}/move", **hidden(preview), reason="It was better")
    assert alice.get(API).json["commit"] == commits["first"]


def test_a_label_is_made_after_a_preview(visitor: Visitor, alice: Client):
    asked = visitor.get("/alice/demo/new-label?name=staging&to=main")
    assert asked.status_code == 302
    preview = visitor.get(asked.location).text
    assert "Targets that the label will hold: 2" in said(preview)
    assert visitor.post(f"{LABELS}/staging/move", **hidden(preview), reason="Try it").status_code == 303
    assert alice.get("/v1/repo/demo/labels/staging").json["commit"]


def test_a_label_that_somebody_else_made_meanwhile_is_a_conflict(
    visitor: Visitor, alice: Client, commits: dict[str, str]
):
    fields = hidden(visitor.get(f"{LABELS}/staging/move?to=main").text)
    assert fields["version"] == "none"
    alice.put("/v1/repo/demo/labels/staging", {"ref": commits["first"]})
    answer = visitor.post(f"{LABELS}/staging/move", **fields)
    assert answer.status_code == 412
    assert "When you looked there was no such label" in said(answer.text)
    assert alice.get("/v1/repo/demo/labels/staging").json["commit"] == commits["first"]


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ("name=a..b&to=main", "must not contain"),
        ("name=staging&to=nowhere", "no tag, label or commit of its history is called so"),
        ("name=staging&to=", "This must be a commit, a tag, a label, or a time"),
        ("name=production&to=main", "There is a label &#39;production&#39;"),
        ("name=v1&to=main", "already has a tag"),
        (f"name={'x' * 101}&to=main", "100 characters at most"),
    ],
)
def test_a_new_label_that_cannot_be_is_refused_at_its_field(visitor: Visitor, alice: Client, query: str, mistake: str):
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    answer = visitor.get(f"/alice/demo/new-label?{query}")
    assert answer.status_code == 422
    (told,) = re.findall(r'<p class="mistake" id="\w+-error">(.*?)</p>', answer.text)
    assert mistake in told


def test_a_new_label_has_no_longer_name_than_the_operator_allows(tmp_path: Path):
    app = create_app(Settings(tmp_path / "short", master_key=MASTER_KEY, max_name=8))
    master, visitor = Client(app, MASTER_KEY), Visitor(app)
    alice = Client(app, master.post("/v1/admin/users", {"user_id": "alice"}).json["api_key"])
    alice.post("/v1/repo", {"repo_name": "demo"})
    visitor.post("/-/sign-in", token=alice.token)
    refused = visitor.post(f"{LABELS}/production/move", ref="main", version="none")
    assert refused.status_code == 422
    assert "8 characters at most" in refused.text
    assert visitor.post("/alice/demo/prompts/too_long_a_name/edit", version="").status_code == 422
    assert visitor.post(f"{LABELS}/prod/move", ref="main", version="none").status_code == 303
    assert [each["name"] for each in alice.get("/v1/repo/demo/labels").json["labels"]] == ["prod"]


def test_a_place_that_means_nothing_is_told_at_the_field(visitor: Visitor):
    answer = visitor.get(f"{PAGE}/move?to=nowhere")
    assert answer.status_code == 422
    assert "is called so" in re.findall(r'id="to-error">(.*?)<', answer.text)[0]
    assert 'value="nowhere"' in answer.text


def test_the_owner_says_who_may_move_it(visitor: Visitor, alice: Client, master: Client, sign_in: SignIn):
    bob, carol = new_user(master, "bob"), new_user(master, "carol")
    for user in ("bob", "carol"):
        alice.put(f"/v1/repo/demo/grants/{user}", {"access": "write"})
    fields = hidden(visitor.get(PAGE).text)
    assert visitor.post(f"{PAGE}/protect", **fields, who="some", protected="bob", reason="Careful").status_code == 303
    assert alice.get(API).json["protected"] == ["bob"]
    assert "protected alice, bob" in said(visitor.get(LABELS).text)
    for client, may in ((bob, True), (carol, False)):
        guest = sign_in(client.token)
        text = guest.get(PAGE).text
        assert ("Move it to" in text) is may
        assert "Who may move it" not in text  # only the owner may say so
        preview = guest.get(f"{PAGE}/move?to=main")
        assert preview.status_code == (200 if may else 403)
    refused = sign_in(carol.token).post(f"{PAGE}/move", ref="main", version=alice.get(API).headers["ETag"].strip('"'))
    assert refused.status_code == 403
    assert sign_in(bob.token).post(f"{PAGE}/protect", **fields, who="all").status_code == 403
    again = hidden(visitor.get(PAGE).text)
    assert visitor.post(f"{PAGE}/protect", **again, who="all").status_code == 303
    assert alice.get(API).json["protected"] is None


def test_protecting_heeds_the_version_and_the_names_of_users(visitor: Visitor, alice: Client, commits: dict[str, str]):
    fields = hidden(visitor.get(PAGE).text)
    unknown = visitor.post(f"{PAGE}/protect", **fields, who="some", protected="nobody alice", reason="Careful")
    assert unknown.status_code == 422
    assert "User &#39;nobody&#39; not found" in unknown.text
    assert 'value="nobody alice"' in unknown.text
    alice.put(API, {"ref": commits["second"], "reason": "I was faster"})
    answer = visitor.post(f"{PAGE}/protect", **fields, who="some", protected="alice", reason="Careful")
    assert answer.status_code == 412
    assert "I was faster" in said(answer.text)
    assert 'value="Careful"' in answer.text
    assert alice.get(API).json["protected"] is None
    again = visitor.post(f"{PAGE}/protect", **hidden(answer.text), who="some", protected="alice")
    assert again.status_code == 303
    assert alice.get(API).json["protected"] == ["alice"]


def test_a_label_is_deleted_after_a_question_and_can_be_put_back(
    visitor: Visitor, alice: Client, commits: dict[str, str]
):
    fields = hidden(visitor.get(f"{PAGE}/delete").text)
    alice.put(API, {"ref": commits["second"]})
    assert visitor.post(f"{PAGE}/delete", **fields, reason="Nobody reads it").status_code == 412
    again = hidden(visitor.get(f"{PAGE}/delete").text)
    assert visitor.post(f"{PAGE}/delete", **again, reason="Nobody reads it").status_code == 303
    assert alice.get(API).status_code == 404
    text = visitor.get(PAGE).text
    assert "This label was deleted" in said(text)
    assert "Nobody reads it" in said(text)
    back = re.findall(r'href="([^"]*move\?to=[^"]*)">put it back', text)[0]
    visitor.post(f"{PAGE}/move", **hidden(visitor.get(back).text))
    assert alice.get(API).json["commit"] == commits["second"]
    assert visitor.get(f"{LABELS}/never").status_code == 404


def test_a_tag_is_made_and_stays(visitor: Visitor, alice: Client, commits: dict[str, str]):
    made = {"name": "release-1", "ref": commits["first"], "message": "The first\nrelease", "reason": "It is done"}
    assert visitor.post("/alice/demo/tags", **made).status_code == 303
    found = said(visitor.get(LABELS).text)
    assert f"release-1 {commits['first'][:7]}" in found
    assert "It is done The first release" in found
    other = visitor.post("/alice/demo/tags", **{**made, "ref": "main"})
    assert other.status_code == 422
    assert "already has a tag" in other.text
    assert "The first\nrelease" in other.text
    wrong = visitor.post("/alice/demo/tags", name="a b", ref="nowhere")
    assert wrong.status_code == 422
    assert visitor.post("/alice/demo/tags", name="b", ref="nowhere").status_code == 422
    assert [tag["name"] for tag in alice.get("/v1/repo/demo/tags").json["tags"]] == ["release-1"]


def test_the_tags_are_paged(visitor: Visitor, alice: Client):
    for number in range(101):
        alice.post("/v1/repo/demo/tags", {"name": f"v{number:03}"})
    text = visitor.get(LABELS).text
    assert "v099" in text
    assert "v100" not in text
    (following,) = re.findall(r'rel="next" href="([^"]*)"', text)
    assert "v100" in visitor.get(html.unescape(following)).text


def test_who_may_only_read_is_offered_no_change_and_refused(alice: Client, master: Client, sign_in: SignIn):
    reader = alice.post("/v1/tokens", {"name": "reader", "access": "read"}).json["api_key"]
    guest = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    for token in (reader, guest.token):
        visitor = sign_in(token)
        pages = visitor.get(LABELS).text + visitor.get(PAGE).text
        assert "new-label" not in pages
        assert "put it back" not in pages
        assert 'action="/alice/demo' not in pages.replace('action="/alice/demo/search"', "")
        for path in ("tags", "labels/production/move", "labels/production/protect", "labels/production/delete"):
            assert visitor.post(f"/alice/demo/{path}", name="x", ref="main", version="none").status_code == 403
    assert sign_in(new_user(master, "eve").token).get(LABELS).status_code in (403, 404)


def test_an_older_state_is_shown_and_not_changed(visitor: Visitor, alice: Client, commits: dict[str, str]):
    alice.put(API, {"ref": commits["third"]})
    then = alice.get("/v1/repo/demo/log").json["commits"][1]["commit"]
    text = visitor.get(f"{PAGE}?ref={then}").text
    assert f"Live: {commits['first'][:7]}" in said(text)
    assert "Move it to" not in text
    assert "No commit has a label yet" in visitor.get(f"{LABELS}?ref={commits['first']}").text


def test_a_label_written_by_hand_is_told(app: Flask, visitor: Visitor, commits: dict[str, str]):
    commit_by_hand(app, {"labels/broken.yml": b"commit: nope\n", "labels/far.yml": b"commit: " + b"a" * 40 + b"\n"})
    found = said(visitor.get(LABELS).text)
    assert "broken Somebody wrote this file by hand, and it is no label." in found
    assert "far aaaaaaa not in the history" in found
    assert f"production {commits['first'][:7]}" in found


def test_old_moves_are_on_other_pages(visitor: Visitor, alice: Client, commits: dict[str, str]):
    for number in range(30):
        alice.put(API, {"ref": commits["second" if number % 2 else "third"], "reason": f"Move {number}."})
    text = visitor.get(PAGE).text
    assert "Move 29." in text
    assert "Monday" not in text
    (following,) = re.findall(r'rel="next" href="([^"]*)"', text)
    assert "Monday" in visitor.get(html.unescape(following)).text

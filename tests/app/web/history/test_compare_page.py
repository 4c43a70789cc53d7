"""Two versions side by side."""

import html
import re

import pytest

from tests.app.web.history.conftest import PROMPT, TARGETS, overrides, put, say
from tests.app.web.tables import table
from tests.app.web.visitor import Visitor
from tests.client import Client

COMPARE = "/alice/demo/compare"


def compared(visitor: Visitor, address: str) -> str:
    page = visitor.get(f"{COMPARE}/{address}")
    assert page.status_code == 200, page.text
    return page.text


def test_a_target_at_two_versions_with_lists_aligned(visitor: Visitor, story: dict[str, str]):
    page = compared(visitor, "v1...main?target=base")
    assert table(page) == [
        ("generators.0 added", "not set", '{ "type": "hardcoded", "questions": [ "Two?" ] }'),
        ("generators.0 → generators.1", 'the same: { "type": "hardcoded", "questions": [ "One?" ] }'),
        ("temperature changed", "0.5", "1.5"),
    ]
    assert "4 fields are the same" in page
    for reason in ("<q>A start</q>", "<q>Livelier answers</q>"):  # who wrote either version
        assert reason in page
    assert compared(visitor, f"{story['base']}...{story['hot'][:7]}?target=base").count("generators.0") == 2


def test_words_that_differ_are_marked_in_texts(visitor: Visitor, story: dict[str, str]):
    page = compared(visitor, "v1...main?prompt=terse")
    assert story
    assert "Answer in<del> two or</del> three<del> warm</del> sentences." in page
    assert "Answer in<ins> one to</ins> three sentences." in page


def test_one_target_against_another(visitor: Visitor, story: dict[str, str]):
    assert story
    page = compared(visitor, "main...main?target=child&against=base")
    rows = {row[0]: row[1:] for row in table(page)}
    assert rows["temperature changed"] == ("1.5", "0.5")
    assert rows["max_tokens added"] == ("not set", "7")
    swapped = re.search(r'href="([^"]+)">Swap sides', page)[1]
    rows = {row[0]: row[1:] for row in table(visitor.get(html.unescape(swapped)).text)}
    assert rows["max_tokens removed"] == ("7", "not set")
    assert "Put back" not in page


def test_the_default_and_a_thing_that_is_the_same(visitor: Visitor, alice: Client, story: dict[str, str]):
    assert story
    put(alice, "/v1/repo/demo/defaults/target", {"config": {"temperature": 0.2}}, "Calmer")
    rows = {row[0]: row[1:] for row in table(compared(visitor, "v1...main?default=true"))}
    assert rows["temperature changed"] == ("1.0", "0.2")
    assert "No field differs." in compared(visitor, "v1...main?target=child")
    assert "No field differs." in compared(visitor, "v1...v1?target=child")


def test_a_target_that_is_on_one_side_only(visitor: Visitor, alice: Client, story: dict[str, str]):
    alice.delete(f"{TARGETS}/child")
    page = compared(visitor, "v1...main?target=child")
    assert "There is no target child in this version." in page
    assert ("max_tokens removed", "7", "not set") in table(page)
    assert "As text" not in page
    before = f"{story['prompt']}...main?target=child"
    assert visitor.get(f"{COMPARE}/{before}").status_code == 404  # neither has it


def test_the_whole_repo(visitor: Visitor, story: dict[str, str]):
    page = compared(visitor, "v1...main")
    assert "1 created, 2 updated, 0 deleted." in page
    for part in ("label production", "prompt terse", "target base", "<q>Livelier answers</q>", "<q>Shorter</q>"):
        assert part in page
    assert "target child" not in page
    assert "0 created, 1 updated, 0 deleted with the path <code>targets/</code>" in compared(
        visitor, "v1...main?path=targets/"
    )
    assert "Nothing differs." in compared(visitor, "v1...production")  # the label is on the tag's commit
    assert "Nothing differs." in compared(visitor, f"{story['label']}...main")


def test_a_label_and_a_time_are_versions(visitor: Visitor, alice: Client, story: dict[str, str]):
    time = next(
        each["time"] for each in alice.get("/v1/repo/demo/log").json["commits"] if each["commit"] == story["child"]
    )
    assert table(compared(visitor, f"{time}...main?target=base"))[-1] == ("temperature changed", "0.5", "1.5")
    assert table(compared(visitor, "production...main?target=base"))[-1] == ("temperature changed", "0.5", "1.5")


def test_as_text_it_is_what_git_shows(visitor: Visitor, story: dict[str, str]):
    assert story
    page = compared(visitor, "v1...main?target=base&view=text")
    assert re.search(r'<span class="gd">-  temperature: 0.5', page)
    assert re.search(r'<span class="gi">\+  temperature: 1.5', page)
    whole = compared(visitor, "v1...main?view=text&path=prompts/")
    assert "prompts/terse.yml" in whole
    assert "targets/base.yml" not in whole
    assert "The files are the same." in compared(visitor, "v1...main?target=child&view=text")


def test_many_files_and_many_fields_are_on_pages(visitor: Visitor, alice: Client):
    alice.post("/v1/repo/demo/tags", {"name": "before"})
    batch = [{"target_name": f"t{number:03}", "template": "default"} for number in range(60)]
    alice.post(f"{TARGETS}/batch", {"targets": batch})
    many = {f"k{number:03}": number for number in range(400)}
    put(alice, f"{TARGETS}/t000", overrides(extra_kwargs=many), "Many")
    names, address = [], f"{COMPARE}/before...main"
    while address:
        page = visitor.get(address).text
        names += re.findall(r"target (t\d+)</a>", page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(found[1]) if found else ""
    assert names == [f"t{number:03}" for number in range(60)]
    fields, address = [], f"{COMPARE}/before...main?target=t000"
    address = f"{COMPARE}/{alice.get(f'{TARGETS}/t000/history').json['commits'][-1]['commit']}...main?target=t000"
    while address:
        page = visitor.get(address).text
        fields += [row[0] for row in table(page)]
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(found[1]) if found else ""
    assert fields == [f"extra_kwargs.k{number:03} added" for number in range(400)]


@pytest.mark.parametrize(
    ("address", "status", "told"),
    [
        ("v1...main...v1", 404, "v1...main"),
        ("v1...nothing", 404, "nothing"),
        ("v1...a b", 422, "a commit, a tag, a label, or a time"),
        ("v1...main?target=nothing", 404, "nothing"),
        ("v1...main?target=a/b", 422, "target"),
        ("v1...main?target=base&prompt=terse", 422, "There is a target already"),
        ("v1...main?against=base", 422, "name the one on the right side, too"),
        ("v1...main?offset=-1", 422, "offset"),
        ("v1...main?view=picture", 422, "view"),
        ("v1...main?path=../x", 422, "path"),
    ],
)
def test_what_cannot_be_compared_is_told(visitor: Visitor, story: dict[str, str], address: str, status: int, told: str):
    assert story
    page = visitor.get(f"{COMPARE}/{address}")
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert told in page.text


def test_the_form_offers_labels_and_tags_and_leads_to_the_comparison(visitor: Visitor, story: dict[str, str]):
    assert story
    page = visitor.get(f"{COMPARE}?target=base").text
    for name in ("main", "production", "v1"):
        assert f'<option value="{name}">' in page
    assert 'value="base"' in page
    sent = visitor.get(f"{COMPARE}?left=v1&right=&target=child&prompt=&against=base")
    assert (sent.status_code, sent.location) == (303, f"{COMPARE}/v1...main?target=child&against=base")
    wrong = visitor.get(f"{COMPARE}?left=&right=v 1&target=base&prompt=terse")
    assert wrong.status_code == 422
    assert 'id="right-error">This must be a commit' in wrong.text
    evil = visitor.get(f"{COMPARE}?left=v1&_scheme=javascript&_external=1&_anchor=x")
    assert evil.location == f"{COMPARE}/v1...main"


def test_markup_in_values_and_reasons_is_text(visitor: Visitor, alice: Client):
    evil = '<script>alert(1)</script> & "quotes" \' and <b>bold</b> words'
    put(alice, PROMPT, say(f"One {evil}"), "First")
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    put(alice, PROMPT, say(f"Two {evil} more"), "<img src=x onerror=alert(2)>")
    put(alice, f"{TARGETS}/a", overrides(extra_kwargs={"<i>": "</pre><script>"}), "</q><script>")
    for address in ("history", "compare/v1...main", "compare/v1...main?prompt=terse", "compare/v1...main?view=text",
                    "prompts/terse/put-back?to=v1", "compare/v1...main?target=a"):  # fmt: skip
        page = visitor.get(f"/alice/demo/{address}").text
        for mark in ("<script>", "<img src=x", "<b>bold", "<i>"):
            assert mark not in page, address


def test_strangers_and_guests(visitor: Visitor, master: Client, alice: Client, story, sign_in, stranger: Visitor):
    assert story
    assert stranger.get(f"{COMPARE}/v1...main").status_code == 303
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    assert bob.get(f"{COMPARE}/v1...main").status_code == 403
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    page = bob.get(f"{COMPARE}/v1...main?target=base")
    assert page.status_code == 200
    assert "Put back" not in page.text
    assert "put back" not in bob.get("/alice/demo/history").text
    assert "Put back as on the left" in visitor.get(f"{COMPARE}/v1...main?target=base").text


def test_a_long_comparison_as_text_is_cut_and_the_command_shows_all_of_it(visitor: Visitor, alice: Client):
    old = put(alice, PROMPT, say("x" * 800_000), "First")
    new = put(alice, PROMPT, say("y" * 800_000), "Second")
    page = compared(visitor, f"{old}...main?prompt=terse&view=text")
    assert len(page) < 250_000
    assert re.search("the whole has 16[0-9]{5} characters", page)
    path = "prompts/terse.yml"
    assert f"git diff {old}:{path} {new}:{path}" in page

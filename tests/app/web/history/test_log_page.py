"""The timelines of a repo, a target, a prompt and the default."""

import html
import re

import pytest

from tests.app.web.history.conftest import TARGETS, overrides, put
from tests.app.web.visitor import Visitor
from tests.client import Client

HISTORY = "/alice/demo/history"


def subjects(text: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'<h2 class="subject">(.*?)</h2>', text)]


def shown(visitor: Visitor, address: str) -> list[str]:
    page = visitor.get(address)
    assert page.status_code == 200, page.text
    return subjects(page.text)


def link(text: str, words: str) -> str:
    """Return the address of the first link with some words."""
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(words)}</a>', text)
    assert found, f"no link {words!r}"
    return html.unescape(found[1])


def test_the_log_tells_who_changed_what_when_and_why(visitor: Visitor, story: dict[str, str]):
    page = visitor.get(HISTORY).text
    assert subjects(page) == [
        f"Create label production at {story['child'][:10]}",
        "prompt terse: 1 message changed",
        "base: 2 fields",
        "Create child from base: max_tokens (unset) → 7",
        "Create base from default: 2 fields",
        "Create prompt terse: 1 message",
        "Create repo demo",
    ]
    hot = page[page.index("base: 2 fields") : page.index("Create child")]
    for part in ("Alice", "<time datetime=", "<q>Livelier answers</q>", "temperature</code>", "<del>0.5</del>"):
        assert part in hot
    assert re.search(r"<del>0\.5</del>\s*→\s*<ins>1\.5</ins>", hot)
    assert "generators.0" in hot  # the entry that was put in front, and no other


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("author=alice", 7),
        ("author=nobody", 0),
        ("reason=LIVELIER", 1),
        ("path=prompts/", 2),
        ("path=targets/ba*", 2),
        ("field=temperature", 4),
        ("field=generators.0.questions", 3),
        ("since=2020-01-01", 7),
        ("since=2099-01-01", 0),
        ("until=2020-01-01", 0),
        ("until=2099-01-01T00:00:00%2B01:00", 7),
        ("reason=livelier&path=prompts/", 0),
        ("ref=v1", 4),
    ],
)
def test_the_log_is_filtered_as_in_the_api(visitor: Visitor, query: str, count: int, story: dict[str, str]):
    assert story
    assert len(shown(visitor, f"{HISTORY}?{query}")) == count


def test_a_day_means_that_whole_day(visitor: Visitor, alice: Client, story: dict[str, str]):
    assert story
    day = alice.get("/v1/repo/demo/log?limit=1").json["commits"][0]["time"][:10]
    assert len(shown(visitor, f"{HISTORY}?since={day}&until={day}&path=labels/")) == 1


def test_a_time_in_the_address_stays_in_the_form(visitor: Visitor):
    page = visitor.get(f"{HISTORY}?since=2020-01-01T10:00:00Z&until=2099-01-01").text
    assert re.search(r'<input[^>]*name="since"[^>]*type="text"[^>]*value="2020-01-01T10:00:00Z"', page)
    assert re.search(r'<input[^>]*name="until"[^>]*type="date"[^>]*value="2099-01-01"', page)


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("since=yesterday", "since", "This must be a time with an offset"),
        ("path=../x", "path", "This must be a path such as"),
        ("field=a..b", "field", "This must be a field such as"),
        (f"author={'x' * 201}", "author", "This must have 1 to 200 characters"),
    ],
)
def test_mistakes_in_the_filters_stand_at_their_fields(visitor: Visitor, query: str, field: str, message: str):
    page = visitor.get(f"{HISTORY}?{query}")
    assert page.status_code == 422
    assert f'id="{field}-error">{message}' in page.text
    assert subjects(page.text) == []


def test_older_changes_are_on_the_next_pages(visitor: Visitor, alice: Client):
    for number in range(45):
        put(alice, f"{TARGETS}/a", overrides(max_tokens=number + 1), f"Step {number}")
    found, address = [], f"{HISTORY}?reason=step"
    for _ in range(3):
        page = visitor.get(address)
        found += subjects(page.text)
        address = link(page.text, "Older changes") if "Older changes" in page.text else ""
    assert address == ""
    assert found == [subject for subject in found if subject.startswith(("a: max_tokens", "Create a"))]
    assert len(found) == 45
    assert "_scheme" not in link(
        visitor.get(f"{HISTORY}?reason=step&_scheme=javascript&_external=1").text, "Older changes"
    )


def test_a_bad_page_is_told(visitor: Visitor):
    assert visitor.get(f"{HISTORY}?before=zzz").status_code == 422
    assert visitor.get(f"{HISTORY}?before={'0' * 40}").status_code == 404
    assert visitor.get(f"{HISTORY}?ref=nothing").status_code == 404


def test_each_thing_has_its_own_history(visitor: Visitor, alice: Client, story: dict[str, str]):
    assert story
    assert shown(visitor, "/alice/demo/targets/base/history") == [
        "base: 2 fields",
        "Create base from default: 2 fields",
    ]
    assert shown(visitor, "/alice/demo/targets/base/history?ref=v1") == ["Create base from default: 2 fields"]
    assert len(shown(visitor, "/alice/demo/prompts/terse/history")) == 2
    assert shown(visitor, "/alice/demo/default/history") == ["Create repo demo"]
    assert visitor.get("/alice/demo/targets/nothing/history").status_code == 404
    assert alice.delete("/v1/repo/demo/targets/child").status_code == 200
    page = visitor.get("/alice/demo/targets/child/history").text
    assert subjects(page) == ["Delete child", "Create child from base: max_tokens (unset) → 7"]
    assert page.count("put back …") == 1  # not from the line that deleted it
    log = visitor.get(HISTORY).text
    assert link(log, "its history, from which it can be restored") == "/alice/demo/targets/child/history"


def test_from_a_line_one_can_see_compare_and_put_back(visitor: Visitor, story: dict[str, str]):
    page = visitor.get("/alice/demo/targets/base/history").text
    old = page[page.index("Create base") :]
    assert link(old, "see it then") == f"/alice/demo/targets/base?ref={story['base']}"
    assert link(old, "compare with now") == f"/alice/demo/compare/{story['base']}...main?target=base"
    assert link(old, "put back …") == f"/alice/demo/targets/base/put-back?to={story['base']}"
    for words in ("see it then", "compare with now", "put back …"):
        assert visitor.get(link(old, words)).status_code == 200


def test_a_large_commit_is_shown_in_part(visitor: Visitor, alice: Client):
    batch = [{"target_name": f"t{number:03}", "template": "default"} for number in range(300)]
    assert alice.post(f"{TARGETS}/batch", {"targets": batch}).status_code == 200
    page = visitor.get(HISTORY)
    assert visitor.get(link(page.text, "and 280 more files")).text.count("300 created, 0 updated") == 1
    assert len(page.data) < 150_000


def test_all_that_a_commit_changed_can_be_seen(visitor: Visitor, alice: Client):
    commit = put(alice, f"{TARGETS}/a", overrides(extra_kwargs={f"k{number}": number for number in range(9)}), "One")
    put(alice, f"{TARGETS}/a", overrides(extra_kwargs={f"k{number}": -1 for number in range(9)}), "Two")
    address = link(visitor.get(HISTORY).text, "and 3 more fields")
    assert address.startswith(f"/alice/demo/compare/{commit}...")
    assert visitor.get(address).text.count('<span class="state">changed</span>') == 9

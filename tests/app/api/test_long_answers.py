"""Answers about the past are bounded by bytes, in what they send and in what they parse."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.settings import Settings
from tests.app.api.helpers import PROMPTS, TARGETS, put
from tests.app.domain.helpers import apply
from tests.client import Client, assert_error
from tests.contracts import hold_to_contracts
from tests.payloads import target
from tests.seams import count_parses
from tests.server import MASTER_KEY
from tests.timeline import LOG, pages

HISTORY = f"{PROMPTS}/p/history"
PAGE, PARSED = 50_000, 200_000  # bytes
Bounded = Callable[..., Client]


@pytest.fixture
def bounded(tmp_path: Path) -> Bounded:
    """Return a function that makes a server whose answers are bounded, and returns a client."""

    def make(max_page: int = PAGE, max_parsed: int = PARSED) -> Client:
        app = create_app(Settings(tmp_path / "data", MASTER_KEY, max_page=max_page, max_parsed=max_parsed))
        client = Client(hold_to_contracts(app), MASTER_KEY)
        client.post("/v1/repo", {"repo_name": "demo"})
        return client

    return make


def say(client: Client, text: str, size: int) -> str:
    """Put a prompt of some size, and return the commit."""
    body = {"messages": [{"role": "user", "content": f"{text} " * (size // (len(text) + 1))}]}
    return client.put(f"{PROMPTS}/p", body).headers["Git-Commit"]


def generators(count: int, word: str = "is") -> list[dict[str, Any]]:
    return [{"type": "hardcoded", "questions": [f"What {word} {number}?"]} for number in range(count)]


def test_a_long_value_is_cut_with_its_length_and_hash(bounded: Bounded):
    client = bounded()
    say(client, "one", 10_000)
    say(client, "two", 20_000)
    [change] = client.get(f"{HISTORY}?limit=1").json["commits"][0]["changes"]
    assert change.keys() == {"field", "old_cut", "new_cut"}
    [whole] = client.get(f"{HISTORY}?limit=1&full=true").json["commits"][0]["changes"]
    assert whole.keys() == {"field", "old", "new"}
    for side in ("old", "new"):
        text = json.dumps(whole[side], separators=(",", ":"), ensure_ascii=False)
        assert change[f"{side}_cut"] == {
            "start": text[:200],
            "length": len(text.encode()),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }


def test_a_value_that_looks_like_a_cut_one_stays_a_value(bounded: Bounded):
    client = bounded()
    cut = {"start": "[", "length": 5000, "sha256": "0" * 64}
    put(client, "a", extra_kwargs={"a": 1, "new_cut": 1})
    put(client, "a", extra_kwargs={"a": cut, "new_cut": cut})
    changes = client.get(f"{TARGETS}/a/history?limit=1").json["commits"][0]["changes"]
    assert [change["new"] for change in changes] == [cut, cut]
    assert not [change for change in changes if change.keys() - {"field", "old", "new"}]


@pytest.mark.parametrize("path", [HISTORY, LOG])
def test_a_page_ends_at_its_bytes_and_next_goes_on(bounded: Bounded, path: str):
    client = bounded(max_parsed=10 * PARSED)
    made = [say(client, text, 20_000) for text in ("one", "two", "three", "four", "five")]
    walked = pages(client, "limit=100&full=true", path)
    assert [commit for page in walked for commit in page][:5] == made[::-1]
    assert len(walked) > 3
    before = ""
    for page in walked:
        answer = client.get(f"{path}?full=true&before={before}")
        assert len(page) == 1 or len(answer.data) < PAGE + 1000
        before = page[-1]
    assert len(client.get(path).json["commits"]) >= 5  # cut values need little room


@pytest.mark.parametrize("path", [HISTORY, LOG])
def test_a_page_ends_before_it_parses_too_much(bounded: Bounded, path: str, monkeypatch: pytest.MonkeyPatch):
    client = bounded()
    made = [say(client, f"{path} {text}", 60_000) for text in ("one", "two", "three", "four", "five", "six")]
    sizes = count_parses(monkeypatch)
    page = client.get(f"{path}?limit=100").json
    assert 1 <= len(page["commits"]) < 6
    assert 0 < sum(sizes) <= PARSED
    walked = [commit for each in pages(client, "limit=100", path) for commit in each]
    assert walked[:6] == made[::-1]
    assert all(
        file["changes"] is not None
        for entry in client.get(f"{path}?limit=1").json["commits"]
        for file in entry.get("files", [entry])
    )


def test_documents_that_are_too_large_are_not_parsed(bounded: Bounded, monkeypatch: pytest.MonkeyPatch):
    client = bounded()
    first = put(client, "a", generators=generators(6000))
    put(client, "a", generators=generators(6001))
    sizes = count_parses(monkeypatch)
    entry = client.get(f"{TARGETS}/a/history?limit=1").json["commits"][0]
    assert (entry["changes"], "git" in entry["note"]) == (None, True)
    [file] = client.get(f"{LOG}?limit=1").json["commits"][0]["files"]
    assert (file["changes"], "git" in file["note"]) == (None, True)
    assert_error(client.get(f"{TARGETS}/a/diff?from={first}"), 413, "PAYLOAD_TOO_LARGE", str(PARSED))
    assert_error(client.get(f"{TARGETS}/a/drift"), 413, "PAYLOAD_TOO_LARGE", "'a'", str(PARSED))
    assert "What is 6000?" in client.get(f"{TARGETS}/a/diff?from={first}", Accept="text/x-diff").text
    assert sizes == []


def test_changes_end_where_there_is_no_room_and_operations_are_whole_or_null(bounded: Bounded):
    client = bounded(max_parsed=10 * PARSED)
    first = put(client, "a", generators=generators(2000))
    put(client, "a", generators=generators(2000, "was"))
    diff = f"{TARGETS}/a/diff?from={first}"
    for answer in (client.get(diff), client.get(f"{TARGETS}/a/history?limit=1"), client.get(f"{LOG}?limit=1")):
        assert len(answer.data) < PAGE + 1000
    short, whole = client.get(diff).json, client.get(f"{diff}&full=true").json
    assert (short["operations"], len(whole["operations"])) == (None, 2000)
    assert len(short["changes"]) + short["more"] == len(whole["changes"]) == 2000
    assert short["changes"] == whole["changes"][: len(short["changes"])]
    old = client.get(f"{TARGETS}/a?ref={first}").json["config"]
    assert apply(old, whole["operations"]) == client.get(f"{TARGETS}/a").json["config"]


def test_the_log_of_a_large_batch_says_how_much_it_left_out(bounded: Bounded, monkeypatch: pytest.MonkeyPatch):
    client = bounded()
    items = [target(f"t{number}", generators=generators(20)) for number in range(400)]
    assert len(client.post(f"{TARGETS}/batch", {"targets": items}).json["created"]) == 400
    sizes = count_parses(monkeypatch)
    answer = client.get(f"{LOG}?limit=1")
    files = answer.json["commits"][0]["files"]
    assert len(files) == 400
    assert len(answer.data) < 4 * PAGE
    assert sum(sizes) <= PARSED
    assert [file for file in files if file["changes"] is None and "note" in file]
    [only] = client.get(f"{LOG}?limit=1&path=targets/t399.yml").json["commits"][0]["files"]
    assert only["changes"]


def test_descendants_come_in_pages(bounded: Bounded):
    client = bounded(max_page=3000)
    put(client, "base", temperature=0.5)
    items = [target(f"t{number}", "base", max_tokens=number + 1) for number in range(40)]
    client.post(f"{TARGETS}/batch", {"targets": items})
    put(client, "base", temperature=0.75)
    found, query, sent = [], "", 0
    while query is not None:
        answer = client.get(f"{TARGETS}/base/descendants?{query}")
        assert len(answer.data) < 3500
        found += [(each["target_name"], each["state"]) for each in answer.json["descendants"]]
        following, sent = answer.json["next"], sent + 1
        query = following and "&".join(f"{name}={value}" for name, value in following.items())
        put(client, "late", "base")  # what is written meanwhile changes no page
    assert sent > 2
    assert sorted(found) == sorted((item["target_name"], "drifted") for item in items)

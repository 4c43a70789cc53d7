"""Documents are parsed where the answer needs their content, and then once."""

from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.settings import Settings
from tests.app.api.helpers import DEFAULT, PROMPTS, TARGETS, put
from tests.client import Client
from tests.contracts import hold_to_contracts
from tests.seams import count_parses
from tests.server import MASTER_KEY

LARGE = 64 * 1024  # bytes


def generators(count: int = 2000) -> list[dict[str, Any]]:
    return [{"type": "hardcoded", "questions": [f"What is {number} of a large document?"]} for number in range(count)]


def test_a_large_target_is_parsed_once_for_all_its_readers(alice: Client, monkeypatch: pytest.MonkeyPatch):
    made = alice.put(f"{TARGETS}/a", {"template": "default", "overrides": {"generators": generators()}})
    sizes = count_parses(monkeypatch)
    answers = [alice.get(f"{TARGETS}/a").json for _ in range(3)]
    assert answers == [made.json] * 3
    for _ in range(3):
        alice.get(f"{TARGETS}/a/explain")
        put(alice, "b", "a", temperature=0.5)
    assert len([size for size in sizes if size > LARGE]) <= 2  # a, and b where it is replaced
    assert max(sizes) > LARGE


@pytest.mark.parametrize("kind", ["target", "prompt", "default"])
def test_a_304_parses_nothing(alice: Client, monkeypatch: pytest.MonkeyPatch, kind: str):
    path, body = {
        "target": (f"{TARGETS}/a", {"template": "default", "overrides": {"generators": generators(1997)}}),
        "prompt": (f"{PROMPTS}/p", {"messages": [{"role": "user", "content": "a\nb " * 20000}]}),
        "default": (DEFAULT, {"config": {"generators": generators()}}),
    }[kind]
    tag = alice.put(path, body).headers["ETag"]
    sizes = count_parses(monkeypatch)
    answer = alice.get(path, If_None_Match=tag)
    assert (answer.status_code, answer.headers["ETag"], answer.data) == (304, tag, b"")
    assert sizes == []
    assert alice.get(path).status_code == 200
    assert len(sizes) == 1


def test_lists_and_text_diffs_parse_nothing(alice: Client, monkeypatch: pytest.MonkeyPatch):
    first = put(alice, "a", generators=generators(1999))
    put(alice, "a", generators=generators(1998))
    sizes = count_parses(monkeypatch)
    assert alice.get(TARGETS).json == {"targets": ["a"]}
    diff = alice.get(f"{TARGETS}/a/diff?from={first}", Accept="text/x-diff")
    assert "What is 1998" in diff.text
    assert sizes == []


@pytest.mark.slow
def test_an_answer_at_hand_needs_no_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A document of many small values takes more memory than what is kept of documents; its answer does not."""
    app = create_app(Settings(tmp_path, MASTER_KEY, max_document=8 * 1024**2, max_values=10**6))
    client = Client(hold_to_contracts(app), MASTER_KEY)
    client.post("/v1/repo", {"repo_name": "demo"})
    put(client, "a", extra_kwargs={"a": [[[]] * 90_000] * 3})
    sizes = count_parses(monkeypatch)
    first, second = (client.get(f"{TARGETS}/a").data for _ in range(2))
    assert first == second
    assert len(sizes) == 1

"""Rows that are looked for: what is found, and how much work one answer does."""

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.runs import full_rows, searching
from app.runs.ledger.leases import Batch
from app.runs.ledger.rows import Row
from app.runs.ledger.runs import Run
from app.runs.searching import Filter, Part
from app.runs.services import Runs
from app.settings import Settings
from storage.store import Store
from tests.app.runs.ledger.runs import new

CONTEXT = {"teacher": [], "student": [], "tools": None, "conditioned": []}


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Runs with an empty ledger."""
    return Runs(Settings(tmp_path), Store(tmp_path / "repos"))


def filled(runs: Runs, questions: Sequence[str]) -> Run:
    """Return a stim with these questions."""
    run = runs.table.start(new(context=CONTEXT, total=len(questions)))
    lease = runs.leases.take(run.id, "a")
    assert lease is not None
    texts = [json.dumps({"generator": 0, "question": question}, ensure_ascii=False) for question in questions]
    rows = [Row(number, 0, text) for number, text in enumerate(texts)]
    lease.write(Batch(rows, len(rows), done=len(rows)))
    found = runs.table.get(run.id)
    assert found is not None
    return found


def positions(part: Part) -> list[int]:
    return [position for position, _ in part.rows]


def found(runs: Runs, run: Run, text: str) -> list[int]:
    return positions(searching.read(runs, run, Filter(text), 0, 100))


def test_texts_are_found_in_any_case_and_form(runs: Runs):
    decomposed = unicodedata.normalize("NFD", "Crème brûlée")
    run = filled(runs, ["Crème BRÛLÉE", decomposed, 'He said "so"\\', "ПИРОГ", "\x00\n", "麵包", "Straße", "100% rye_"])
    for text, expected in (
        ("crème brûlée", [0, 1]),
        (decomposed.upper(), [0, 1]),
        ('"SO"\\', [2]),
        ("пирог", [3]),
        ("包", [5]),
        ("straße", [6]),
        ("%", [7]),
        ("_", [7]),
        ("100%", [7]),
        ("question", []),
        ("generator", []),
        ("", [*range(8)]),
    ):
        assert found(runs, run, text) == expected, text


def test_one_answer_looks_at_a_bounded_number_of_rows(runs: Runs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(searching, "_MOST_LOOKED_AT", 40)
    monkeypatch.setattr(searching, "_CHUNK", 10)
    run = filled(runs, [f"What is {number}?" for number in range(100)])
    part = searching.read(runs, run, Filter("is 99?"), 0, 5)
    assert part == Part([], 40, False)
    part = searching.read(runs, run, Filter("is 99?"), 80, 5)
    assert (positions(part), part.until, part.is_all) == ([99], 100, True)
    assert searching.read(runs, run, Filter("nothing"), 100, 5) == Part([], 100, True)


def test_one_answer_parses_and_compares_a_bounded_number_of_characters(runs: Runs, monkeypatch: pytest.MonkeyPatch):
    run = filled(runs, ["x" * 1000] * 30)
    parsed = []
    read = full_rows.read

    def counted(*arguments: object, **options: object):
        for row in read(*arguments, **options):
            parsed.append(row)
            yield row

    monkeypatch.setattr(full_rows, "read", counted)
    monkeypatch.setattr(searching, "_MOST_PARSED", 5000)
    part = searching.read(runs, run, Filter(), 0, 100)
    assert (len(part.rows), len(parsed), part.until, part.is_all) == (5, 5, 5, False)
    part = searching.read(runs, run, Filter("question"), 5, 100)  # each row has it, and no text of a row
    assert (len(part.rows), len(parsed), part.until) == (0, 10, 10)
    monkeypatch.setattr(searching, "_CHUNK", 2)
    monkeypatch.setattr(searching, "_MOST_COMPARED", 7000)
    part = searching.read(runs, run, Filter("y"), 0, 100)
    assert (len(part.rows), len(parsed), part.until, part.is_all) == (0, 10, 8, False)


def test_pages_meet_without_a_gap(runs: Runs):
    run = filled(runs, [f"Is {number} odd?" for number in range(50)])
    seen, offset, is_all = [], 0, False
    while not is_all:
        part = searching.read(runs, run, Filter("3"), offset, 3)
        seen += positions(part)
        offset, is_all = part.until, part.is_all
    assert seen == [number for number in range(50) if "3" in str(number)]

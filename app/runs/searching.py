"""Rows of a run that somebody reads some at a time: all of them, or those that are looked for, with bounded work."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from app.domain import text_search
from app.runs import full_rows
from app.runs.ledger.rows import Seen, Wanted
from app.runs.ledger.runs import Run
from app.runs.models.answers import Answer
from app.runs.services import Runs

FAILED, TRUNCATED, EMPTY = "failed", "truncated", "empty"  # rows of which somebody wants no others

_CHUNK = 500  # rows that the ledger looks at in one go
_MOST_LOOKED_AT = 20_000  # rows, for one answer
_MOST_COMPARED = 64 * 1024 * 1024  # characters that the ledger compares for one answer
_MOST_PARSED = 4 * 1024 * 1024  # characters of rows that are parsed for one answer
_AS_IT_IS = re.compile(r"[ !#-\[\]-~]+")  # characters that JSON leaves as they are, whatever their form
_SAID = ("content", "reasoning_content", "refusal", "tool_calls")

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are wanted: those that have a text somewhere, and those that are `failed`, `truncated` or `empty`."""

    text: str = ""
    only: str | None = None

    def __bool__(self) -> bool:
        """Tell whether any row may be left out."""
        return bool(self.text or self.only)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows by position, and the position before which all were looked at. `is_all`: none follows."""

    rows: Sequence[tuple[int, _Row]]
    until: int
    is_all: bool


def read(runs: Runs, run: Run, wanted: Filter, offset: int, limit: int) -> Part:
    """Return the finished rows of a run that are wanted, from a position on; fewer than `limit` where work is bounded.

    A text is looked for in questions, answers, reasoning, calls of tools and errors. RunGone where the run was deleted.
    """
    search = _Search(runs, run, wanted)
    found: list[tuple[int, _Row]] = []
    until = offset
    for until, row in search.look(offset, _CHUNK if wanted else limit):
        if row is not None:
            found.append((until - 1, row))
        if len(found) == limit:
            break
    return Part(found, until, until >= run.listed)


class _Search:
    """A search in a run, which counts its work."""

    def __init__(self, runs: Runs, run: Run, wanted: Filter) -> None:
        self._runs = runs
        self._run = run
        self._filter = wanted
        self._text = text_search.Wanted(wanted.text) if wanted.text else None
        self._wanted = _wanted(run, wanted)
        self._compared = self._parsed = 0

    def look(self, offset: int, chunk: int) -> Iterator[tuple[int, _Row | None]]:
        """Yield how far was looked, with each row that is wanted, until the run or the work for one answer ends."""
        for start in range(offset, min(self._run.listed, offset + _MOST_LOOKED_AT), chunk):
            number = min(chunk, self._run.listed - start)
            seen = self._runs.rows.look(self._run.id, self._run.width, self._wanted, start, number)
            for is_candidate, group in groupby(seen, lambda each: each.is_candidate):
                if is_candidate:
                    yield from self._check([*group])
                if self._parsed > _MOST_PARSED:
                    return
            yield start + number, None
            self._compared += sum(each.size for each in seen)
            if self._compared > _MOST_COMPARED:
                return

    def _check(self, candidates: Sequence[Seen]) -> Iterator[tuple[int, _Row | None]]:
        """Parse rows that follow each other, and yield each with whether it is wanted."""
        rows = full_rows.read(self._runs, self._run, candidates[0].position, len(candidates))
        for each, (row, _) in zip(candidates, rows, strict=True):
            yield each.position + 1, row if self._is_wanted(row) else None
            self._parsed += each.size
            if self._parsed > _MOST_PARSED:
                return

    def _is_wanted(self, row: _Row) -> bool:
        if self._text is not None and not any(self._text.find(said) for said in _texts(row)):
            return False
        only, answer = self._filter.only, row.get("response")
        if only in (TRUNCATED, EMPTY):
            read = None if answer is None else Answer(answer, b"", 0, 0)
            return read is not None and (read.is_truncated if only == TRUNCATED else read.is_empty)
        return True


def _wanted(run: Run, wanted: Filter) -> Wanted:
    """Return what the ledger can look for: no row that is wanted lacks it, and others may have it."""
    parts = _AS_IT_IS.findall(unicodedata.normalize("NFC", wanted.text))
    own = '"finish_reason":"length"' if wanted.only == TRUNCATED else ""
    return Wanted(own, max(parts, key=len, default=""), run.stim, wanted.only == FAILED)


def _texts(row: _Row) -> Iterator[str]:
    answer = row.get("response") or {}
    said = [row["question"], row.get("error"), *(answer.get(name) for name in _SAID)]
    return (text for _, text in text_search.texts(said))

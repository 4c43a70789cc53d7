"""A bit flips anywhere on disk: it is reported or harmless. No answer is wrong, and nothing is lost."""

import logging
import random
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.torture import everything, places
from tests.torture.cases import Case, Verdict

_SHOWN = 3  # of what is lost, or is wrong, after one flip
_COLUMNS = ("flips", "wrong", "reported", "lost", "found by verify", "missed by verify")

Table = Mapping[str, Counter[str]]  # how often what was so, by kind of file


def run(flips: int, seed: int, first: int = 0) -> Iterator[str]:
    """Flip so many bits, one at a time; yield what came of it, or raise AssertionError at the end.

    Each is the same again for its seed and number, of which `first` is the first.
    """
    table: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bakehouse-flips-") as name, quiet(wrong):
        folder = Path(name)
        cases = [Case(state, folder / "copy") for state in everything.make(folder)]
        for number in range(first, first + flips):
            chance, case = random.Random(f"{seed}-{number}"), cases[number % len(cases)]
            flip = places.choose(case.state, chance)
            verdict = case.hold(flip, chance, folder / "copy")
            table[flip.kind] += _count(verdict)
            what = _shorten(verdict)
            if what:
                wrong.append("\n    ".join([f"{flip} (seed {seed}, number {number})", *what]))
    yield from _lines(table)
    assert not wrong, "\n".join([f"{len(wrong)} flips are wrong:", *wrong])


@contextmanager
def quiet(wrong: list[str]) -> Iterator[None]:
    """Let no checkpoint happen in the background, log nothing, and note threads that fail."""

    def note(failed: threading.ExceptHookArgs) -> None:
        wrong.append(f"the thread {failed.thread and failed.thread.name} ended: {failed.exc_value!r}")

    logging.disable()
    try:
        with everything.same_machine(), patch.object(threading, "excepthook", note):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _shorten(verdict: Verdict) -> list[str]:
    """Return what is wrong, a line each, and how much more of it there is."""
    lines = ["verify does not find it"] if verdict.missed else []
    for what, found in (("lost", verdict.lost), ("wrong", verdict.wrong)):
        lines += [f"{what}: {text}" for text in found[:_SHOWN]]
        if len(found) > _SHOWN:
            lines.append(f"{what}: and {len(found) - _SHOWN} more")
    return lines


def _count(verdict: Verdict) -> Counter[str]:
    was = (True, verdict.wrong, verdict.told, verdict.lost, verdict.found, verdict.missed)
    return Counter({column: int(bool(value)) for column, value in zip(_COLUMNS, was, strict=True)})


def _lines(table: Table) -> Iterator[str]:
    total: Counter[str] = sum(table.values(), Counter())
    flips, wrong, told, lost, found, missed = (total[column] for column in _COLUMNS)
    yield (
        f"flips: {flips} flips in {len(table)} kinds of files: {wrong} answered wrong, {told} reported, "
        f"{lost} lost something, {found} found by verify and {missed} missed"
    )
    width = max(map(len, table))
    yield f"flips: {'':{width}}  {'  '.join(_COLUMNS)}"
    for kind, counts in sorted(table.items()):
        yield f"flips: {kind:{width}}  " + "  ".join(f"{counts[name]:>{len(name)}}" for name in _COLUMNS)

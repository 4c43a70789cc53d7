"""Rows of the table: a measurement and its yardstick, in turns in the same run."""

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

ROUNDS = 5

Measure = Callable[[], float]
Figure = TypeVar("Figure")


def spread(figures: Sequence[float], digits: int = 0) -> str:
    """Return a median with its range."""
    median, least, most = statistics.median(figures), min(figures), max(figures)
    return f"{median:9.{digits}f} ({least:.{digits}f}–{most:.{digits}f})"


def compare(
    what: str,
    measure: Measure,
    yardstick: str,
    measure_yardstick: Measure,
    goal: str,
    *,
    unit: str = "/s",
    rounds: int = ROUNDS,
) -> str:
    """Measure two things in turns, some rounds; return both medians, and the median of the rounds' ratios."""
    measure(), measure_yardstick()
    figures = [(measure(), measure_yardstick()) for _ in range(rounds)]
    ratios = [ours / theirs for ours, theirs in figures]
    ours, theirs = zip(*figures, strict=True)
    digits = 0 if unit == "/s" else 1
    return (
        f"{what:44}{spread(ours, digits)} {unit}\n{yardstick:44}{spread(theirs, digits)} {unit}\n"
        f"{'':44}  ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}); {goal}\n"
    )


def in_turns(measures: Mapping[str, Callable[[], Figure]], rounds: int = ROUNDS) -> dict[str, list[Figure]]:
    """Measure things by name, all in each round, in random order; return what each round gave.

    A round before the first is not counted.
    """
    found: dict[str, list[Figure]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name in random.sample(list(measures), len(measures)):
            figure = measures[name]()
            if number:
                found[name].append(figure)
    return found


def beside(
    what: str, ours: Sequence[float], yardstick: str, theirs: Sequence[float], goal: str, *, unit: str = "/s"
) -> str:
    """Return two measurements of the same rounds, and the ratio: medians with their standard errors."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    digits = 0 if unit == "/s" else 2
    return (
        f"{what:44}{with_error(ours, digits)} {unit}\n{yardstick:44}{with_error(theirs, digits)} {unit}\n"
        f"{'':44}  ratio {with_error(ratios, 2).strip()}; {goal}\n"
    )


def with_error(figures: Sequence[float], digits: int) -> str:
    """Return a median with its standard error."""
    error = statistics.stdev(figures) / math.sqrt(len(figures))
    return f"{statistics.median(figures):9.{digits}f} ± {error:.{digits}f}"

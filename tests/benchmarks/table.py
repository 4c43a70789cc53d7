"""Rows of the table: a measurement and its yardstick, in turns in the same run."""

import statistics
from collections.abc import Callable, Sequence

ROUNDS = 5

Measure = Callable[[], float]


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

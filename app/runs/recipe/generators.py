"""What the types of generators have in common and not: which ask a model, and which indexes of a list are drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.runs.recipe import sampling

ASKING = frozenset(("oneshot_qs", "custom"))
PERSONA = "persona"  # the type, and the data set that takes the place of the question bank

Generator = Mapping[str, Any]


def is_conditioned(generator: Generator) -> bool:
    """Tell whether rollouts send what the student sees."""
    return bool(generator.get("rollout_with_conditioned"))


def indexes(generator: Generator, size: int, key: str, index: int) -> Sequence[int]:
    """Return which questions of a list a generator takes: `numq` that are drawn, or else all, in their order.

    Without a `seed`, the draw is by the run's key and the generator's index.
    """
    number, seed = generator.get("numq"), generator.get("seed")
    if number is None:
        return range(size)
    return sampling.draw(size, number, sampling.seed_of(key, "draw", index) if seed is None else seed)

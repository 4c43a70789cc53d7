"""What looks random and is the same everywhere: it is made of SHA-256, and not of a library's generator."""

import hashlib
import json

_SEEDS = 2**31  # as many as every endpoint takes


def draw(size: int, number: int, seed: int) -> list[int]:
    """Return `number` different indexes below `size`, in the order in which they were drawn.

    Of one size and seed, a smaller draw is the beginning of a larger one. Raises ValueError where there are too few.
    """
    if not 0 <= number <= size:
        raise ValueError(f"{number} of {size} cannot be drawn")
    moved: dict[int, int] = {}  # the places of a list 0, 1, 2, … that a shuffle from the front has changed
    drawn = []
    for place in range(number):
        other = place + _number("draw", seed, place) % (size - place)
        drawn.append(moved.get(other, other))
        moved[other] = moved.pop(place, place)
    return drawn


def seed_of(key: str, *parts: str | int) -> int:
    """Return a seed of 31 bits for a part of a run, such as a stimulus and a trajectory."""
    return _number("seed", key, *parts) % _SEEDS


def idempotency_key(key: str, *parts: str | int) -> str:
    """Return the name of one sample of a run for the header `Idempotency-Key`: 32 hex digits."""
    return f"{_number('idempotency', key, *parts):032x}"


def _number(*parts: str | int) -> int:
    """Return a number of 128 bits."""
    texts = [part if isinstance(part, str) else {"integer": f"{part:x}"} for part in parts]
    return int.from_bytes(hashlib.sha256(json.dumps(texts).encode()).digest()[:16])

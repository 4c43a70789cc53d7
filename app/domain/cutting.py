"""Values as answers show them: a long one is cut, with the length and the hash of the whole."""

import hashlib
import json
from typing import Any

LONGEST = 4096  # bytes of JSON; a longer value is cut
_START = 200  # characters

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def size_of(value: Any) -> int:
    """Return how many bytes a value takes as JSON."""
    return len(_encode(value).encode())


def shown(name: str, value: Any, *, full: bool) -> dict[str, Any]:
    """Return a value under its name; a long one as `{name}_cut`, unless it is wanted in full.

    A cut value has the `start` of its JSON, the `length` of the JSON in bytes, and its `sha256`. The other name tells
    it from any value that somebody wrote.
    """
    if full or value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) < _START):
        return {name: value}
    text = _encode(value)
    data = text.encode()
    if len(data) <= LONGEST:
        return {name: value}
    cut = {"start": text[:_START], "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {f"{name}_cut": cut}

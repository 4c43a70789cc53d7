"""Canonical JSON: the same data gives the same bytes, in any program that sorts keys and leaves out spaces."""

import json
from hashlib import sha256
from typing import Any


def dump(value: Any) -> bytes:
    """Return the bytes of a JSON value: one line of UTF-8, keys sorted, no spaces; ValueError for NaN or infinity.

    Half of a surrogate pair, which UTF-8 lacks, is escaped.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode(errors="backslashreplace")


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value, as 64 hex digits."""
    return sha256(dump(value)).hexdigest()

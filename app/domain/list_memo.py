"""Texts of lists that come again and again.

What a schema has loaded before is the same list again (`MemoizedList`), and so is what a template has
that is kept parsed. Nobody changes either.
"""

from collections.abc import Callable
from typing import Any

from storage.caches import Cache, weigh

_SIZE = 4 * 1024 * 1024  # bytes
_LARGEST = 4096  # characters; nothing longer is kept


class ListMemo:
    """What `write` makes of lists, kept by which list it is, whatever it holds."""

    def __init__(self, write: Callable[..., str]) -> None:
        self._write = write
        self._known: Cache[tuple[object, ...], tuple[list[Any], str]] = Cache(_SIZE)

    def get(self, value: list[Any], *how: str) -> str:
        """Return `write(value, *how)`, from memory where it was asked of this very list before."""
        key = (id(value), *how)
        known = self._known.get(key)
        if known is not None and known[0] is value:  # else another had that id once
            return known[1]
        text = self._write(value, *how)
        if len(text) <= _LARGEST:
            self._known.put(key, (value, text), weigh(value) + len(text))
        return text

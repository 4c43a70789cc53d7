"""Pages with numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

T = TypeVar("T")

_MOST = 10**9  # as far as the API goes


@dataclass(frozen=True, slots=True)
class Numbered(Generic[T]):
    """A part of a long list: the page with a number, of `pages`; `first` counts from 1."""

    shown: Sequence[T]
    page: int
    pages: int
    first: int
    total: int

    @classmethod
    def of(cls, everything: Sequence[T], page: int, size: int) -> "Numbered[T]":
        """Return a page of a list; the first or the last one where there is no such page."""
        pages = max(1, -(-len(everything) // size))
        page = max(1, min(page, pages))
        start = (page - 1) * size
        return cls(everything[start : start + size], page, pages, start + 1, len(everything))


def asked() -> int:
    """Return the number of the page that the address asks for."""
    return number("page", 1)


def number(name: str, least: int = 0) -> int:
    """Return a number in the address; the least one where it is less, or no number."""
    return max(least, min(request.args.get(name, least, type=int), _MOST))

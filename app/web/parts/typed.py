"""Texts that people type into forms."""

from collections.abc import Iterable
from typing import Any


def one_ending(text: str) -> str:
    """Return a text whose lines all end as those of a form do: a browser changes how lines end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def as_before(typed: str, here: Any, others: Iterable[Any]) -> str:
    """Return the text that was there before, where a typed one differs in how its lines end alone.

    `here` is the value at the same place. It comes before the `others`, which stood elsewhere; among these, one
    that is the same comes first.
    """
    if "\n" not in typed:
        return typed
    if _is_alike(here, typed):
        return str(here)
    alike = [other for other in others if _is_alike(other, typed)]
    return typed if not alike or typed in alike else str(alike[0])


def _is_alike(value: Any, typed: str) -> bool:
    return isinstance(value, str) and one_ending(value) == typed

"""The file `packed-refs`, where `git gc` and maintenance put refs: parsed as git does, and found quickly.

Source: git's `refs/packed-backend.c`.
"""

import os
import re
from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

REF_NAME = re.compile(r"(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|\Z)|[./]\Z))refs/[^\x00-\x20\x7f~^:?*\[\\]+", re.DOTALL)
_PACKED = re.compile(r"([0-9a-fA-F]{40})[ \t\r](.+)")
_PEELED = re.compile(r"\^([0-9a-fA-F]{40})")
_HEADER = "# pack-refs with:"


class PackedRef(NamedTuple):
    """A ref in `packed-refs`: the id of the object that it names, and of the one that a tag object leads to."""

    id: str
    peeled: str | None


class PackedRefs:
    """The refs of one content of the file. It never changes, so threads may share it."""

    def __init__(self, content: bytes = b"") -> None:
        """Parse the file; ValueError, with the text that cannot be read."""
        self.refs: Mapping[str, PackedRef] = _parse(os.fsdecode(content))  # a name may be in any encoding

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.refs)

    @cached_property
    def _in_any_case(self) -> Mapping[str, str]:
        return {ref.lower(): ref for ref in self.refs}

    def below(self, ref: str) -> str | None:
        """Return a ref whose name starts with `ref` and a slash, or None."""
        at = bisect_left(self._sorted, f"{ref}/")
        return next((found for found in self._sorted[at : at + 1] if found.startswith(f"{ref}/")), None)

    def alike(self, ref: str) -> str | None:
        """Return the ref, or else one whose name differs only in case, or None."""
        return ref if ref in self.refs else self._in_any_case.get(ref.lower())


def _parse(text: str) -> Mapping[str, PackedRef]:
    lines = text.split("\n")
    if lines.pop():  # the last line must have an end, too
        raise ValueError(text)
    is_sorted = bool(lines) and lines[0].startswith(_HEADER) and " sorted " in f"{lines[0]} "
    found: dict[str, PackedRef] = {}
    last = ""
    for number, line in enumerate(lines):
        if number == 0 and line.startswith(_HEADER):
            continue
        if (peeled := _PEELED.fullmatch(line)) and last and found[last].peeled is None:
            found[last] = PackedRef(found[last].id, peeled[1].lower())
            continue
        ref = _PACKED.fullmatch(line)
        if ref is None or not REF_NAME.fullmatch(ref[2]) or (is_sorted and not os.fsencode(last) < os.fsencode(ref[2])):
            raise ValueError(line)
        last = ref[2]
        found[last] = PackedRef(ref[1].lower(), None)
    return found

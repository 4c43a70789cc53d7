"""Looking for a text, in any case: where it stands in another text, and in which of the texts of JSON data."""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from app.domain.differences import Keys

_AROUND = 60  # characters that a snippet shows on each side
_WORD = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
# What a number, true or false may look like as JSON, and a part of it.
_NUMBER = re.compile(r"[0-9eE.+-]*", re.ASCII)
_NAMED = ("true", "false", "-infinity", "nan")
_CUT = "…"


class Snippet(NamedTuple):
    """A part of a text: what was looked for, as the text has it, with some of what stands before and after."""

    before: str
    match: str
    after: str


class Wanted:
    """A text that is looked for: in upper or lower case, with accents in any form."""

    def __init__(self, text: str) -> None:
        forms = dict.fromkeys(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
        self.text = text
        self._pattern = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)
        self._lower = text.lower() if text.isascii() else None
        self._word = _longest_word(text)

    def find(self, text: str) -> Snippet | None:
        """Return the first place in a text where this stands, or None."""
        if self._lower is not None and text.isascii() and self._lower not in text.lower():
            return None  # most texts end here, which takes a tenth of the time
        found = self._pattern.search(text)
        return None if found is None else _snippet(text, found.start(), found.end())

    def may_be_in(self, yaml: bytes) -> bool:
        """Tell whether a text in a YAML document may have this, without a parse; False where surely none has.

        YAML breaks lines between words alone, and without a backslash a word stands there as it is.
        """
        if self._word is None or b"\\" in yaml or not yaml.isascii():
            return True
        return self._word in yaml.lower()


def beginning(text: str) -> Snippet:
    """Return the start of a text, with nothing marked in it."""
    return _snippet(text, 0, 0)


def texts(value: Any, keys: Keys = (), *, with_names: bool = False) -> Iterator[tuple[Keys, str]]:
    """Yield the texts, numbers, true and false in JSON data, each as a text with the place where it is.

    `with_names` also yields the names in objects, each at the place of what it names.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            if with_names:
                yield (*keys, name), name
            yield from texts(item, (*keys, name), with_names=with_names)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from texts(item, (*keys, number), with_names=with_names)
    elif value is not None:
        yield keys, value if isinstance(value, str) else json.dumps(value)


def _longest_word(text: str) -> bytes | None:
    """Return the longest word of a text, in lower case; None where numbers, true or false may have the text."""
    if _NUMBER.fullmatch(text) or any(text.lower() in named for named in _NAMED):
        return None
    return max(_WORD.findall(text), key=len, default="").lower().encode() or None


def _snippet(text: str, start: int, end: int) -> Snippet:
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    before = f"{_CUT if first else ''}{text[first:start]}"
    after = f"{text[end:last]}{_CUT if last < len(text) else ''}"
    return Snippet(before, text[start:end], after)

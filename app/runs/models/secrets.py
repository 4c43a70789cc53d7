"""The key of an endpoint, kept out of what endpoints say."""

import re
from itertools import groupby

_SHORT = 8  # characters; a shorter key keeps nobody out, and may be a word of any answer, such as `none`
_INSTEAD = "[key]"
_BESIDE = r"[\\\0]"
_NOTHING = r"(?!)"


class Redactor:
    """Takes a key out of texts, also where an endpoint has sent it back."""

    def __init__(self, key: str | None) -> None:
        pattern = _pattern(key) if key and len(key) >= _SHORT else _NOTHING
        self._in_text = re.compile(pattern)
        self._in_data = re.compile(pattern.encode())

    def text(self, text: str) -> str:
        """Return a text without the key."""
        return self._in_text.sub(_INSTEAD, text)

    def data(self, data: bytes) -> bytes:
        """Return data without the key, also where JSON has its letters as escapes, or where they are UTF-16."""
        return self._in_data.sub(_INSTEAD.encode(), data)


def _pattern(key: str) -> str:
    r"""Return the pattern of a key whose characters may be escapes such as `\"`, `\/`, `\u002b` and `\\u002b`.

    Each may have a NUL beside it, as ASCII has in UTF-16 and UTF-32. No part of the pattern gives back what it has
    matched, so the time stays linear in any data.
    """
    return rf"(?<!{_BESIDE})" + "".join(_run(char, len([*run])) for char, run in groupby(key))


def _run(char: str, count: int) -> str:
    code = f"u(?i:{ord(char):04x})"
    if char == "\\":
        return rf"(?:{_BESIDE}|{code})++"  # how many there are depends on how often they were escaped
    return rf"(?:{_BESIDE}*+(?:{re.escape(char)}|{code})){{{count}}}"

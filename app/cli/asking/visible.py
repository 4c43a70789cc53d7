"""Text as a terminal may show it: what others wrote must not steer the terminal."""

import json
from collections.abc import Mapping
from typing import Any

_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    r"""Return a text on one line: control characters, and those that turn the direction, as escapes such as `\x1b`."""
    return text if text.isprintable() else "".join(map(_visible, text))


def lines(text: str) -> str:
    """Return a text of several lines, such as a diff, with line ends and tabs left as they are."""
    return "".join(char if char in "\n\t" else _visible(char) for char in text)


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return _ESCAPES.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}")


def as_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON in which every character can be seen."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def shown(part: Mapping[str, Any], name: str) -> str:
    """Return the value that a part of an answer has under a name: as JSON, cut if the server cut it; empty if none."""
    cut = part.get(f"{name}_cut")
    if cut is not None:
        return f"{visible(cut['start'])}… ({cut['length']} bytes)"
    return as_json(part[name]) if name in part else ""

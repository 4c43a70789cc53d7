"""How canonical YAML writes texts, keys and numbers: every reader of every YAML version reads the same.

A text is written as it is only where the law below says that it may be. All other texts are quoted. The law depends
on no library and on no version of Unicode, so the bytes stay the same for good.
"""

import re
from functools import lru_cache

# Characters that stand for themselves in every version of YAML. U+0085, U+2028 and U+2029 end a line in YAML 1.1 only,
# U+FEFF may be dropped, and some readers know no characters beyond U+FFFF.
_VISIBLE = r" -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
_VISIBLE_TEXT = re.compile(rf"[{_VISIBLE}]*+")
# A text without quotes starts with an ASCII letter, so it is no number, time or symbol, and no mark of YAML.
_PLAIN_TEXT = re.compile(rf"[A-Za-z][{_VISIBLE}]*+(?<![ :])")
_PLAIN_BREAKS = (": ", " #")  # the end of a key, the start of a comment
# Words that mean a boolean, null or a number in some version of YAML, or in some reader.
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"])
# A line that every reader keeps in a literal block: empty, or with no space at its ends.
_LITERAL_TEXT = re.compile(rf"(?! )[{_VISIBLE}]++(?<! )(?:\n+(?! )[{_VISIBLE}]++(?<! ))*+\n?")

_LONGEST_KEY = 128  # characters; readers look no further than 1024 for the end of a key
_SHORT = 200  # characters; names and questions, which are often written again
_COMMON_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t"}  # in this order
_RARE = re.compile(rf"[^{_VISIBLE}]")
_RARE_ESCAPES = {
    **{"\0": "0", "\a": "a", "\b": "b", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e"},
    **{"\x85": "N", "\u2028": "L", "\u2029": "P"},
}


def is_literal(text: str) -> bool:
    """Tell whether a text is written as a literal block: it has several lines, and no reader would change one."""
    return "\n" in text and _LITERAL_TEXT.fullmatch(text) is not None


def literal(text: str, indent: str) -> str:
    """Return the header and the lines of a literal block, each line after `indent`."""
    header = "|" if text.endswith("\n") else "|-"
    lines = text.removesuffix("\n").split("\n")
    return "\n".join([header, *(line and f"{indent}{line}" for line in lines)])


def on_one_line(text: str) -> str:
    """Return a text as a scalar on one line."""
    return _short(text) if len(text) <= _SHORT else _scalar(text)


@lru_cache(maxsize=8192)
def _short(text: str) -> str:
    return _scalar(text)


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """Return a name as the key of an object, up to the colon."""
    scalar = _scalar(name)
    return f"{scalar}:" if len(scalar) <= _LONGEST_KEY else f"? {scalar}\n:"


def other(value: object) -> str:
    """Return a number, boolean or null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    if isinstance(value, float) and "." not in text:
        return text.replace("e", ".0e")  # YAML 1.1 reads 1e+22 as text, and 1.0e+22 as a number
    return text


def _scalar(text: str) -> str:
    if _is_plain(text):
        return text
    if _VISIBLE_TEXT.fullmatch(text):
        return "'{}'".format(text.replace("'", "''"))
    for character, escape in _COMMON_ESCAPES.items():
        text = text.replace(character, escape)
    return f'"{_RARE.sub(lambda match: _escaped(match[0]), text)}"'


def _is_plain(text: str) -> bool:
    if not _PLAIN_TEXT.fullmatch(text) or any(mark in text for mark in _PLAIN_BREAKS):
        return False
    return len(text) > len("infinity") or text.casefold() not in _WORDS  # Ruby reads `yeſ` as `yes`


@lru_cache(maxsize=1024)
def _escaped(character: str) -> str:
    if character in _RARE_ESCAPES:
        return f"\\{_RARE_ESCAPES[character]}"
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"

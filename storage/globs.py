"""Patterns of paths, read alike by git and here."""

import re
from dataclasses import dataclass
from functools import lru_cache

_WILD = frozenset("*?[")
_FILE = ".yml"  # of targets, prompts and the like
# Within a name. A set holds printable ASCII; what is no such pattern is a letter that stands for itself.
_PARTS = re.compile(r"(?P<any>\*+)|(?P<one>\?)|\[(?P<not>[!^]?)(?P<set>[ -.0-\\^-~]+)\]|(?P<letter>.)", re.DOTALL)
_MEMBERS = re.compile(r"(.)-(.)|(.)")
_SPECIAL = re.compile(r"([][*?\\^!-])")


@dataclass(frozen=True, slots=True)
class Glob:
    """The files whose path a pattern describes, and those in a folder whose path it describes.

    `*`, `?` and a set such as `[a-c]` or `[!a-c]` stand for letters within a name, `**` for any folders. With a
    slash at the end the pattern describes folders only.
    """

    pattern: str

    def pathspecs(self) -> list[str]:
        """Return the pattern as git takes it."""
        names = _names(self.pattern)
        path = "/".join(name if name == "**" else "".join(map(_for_git, _PARTS.finditer(name))) for name in names)
        below = f":(glob){path}/**"
        return [below] if self.pattern.endswith("/") else [f":(glob){path}", below]

    def matches(self, path: str) -> bool:
        """Tell whether a file is one of these. As for git, a letter beyond ASCII counts as several."""
        return _compile(self.pattern).fullmatch(_bytes(path)) is not None


def _names(pattern: str) -> list[str]:
    return pattern.removesuffix("/").split("/")


@lru_cache(64)
def _compile(pattern: str) -> "re.Pattern[str]":
    *folders, last = [_bytes(name) for name in _names(pattern)]
    above = "".join("(?:.*/)?" if name == "**" else f"{_expression(name)}/" for name in folders)
    below = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    return re.compile(above + (".*" if last == "**" else _expression(last)) + below, re.DOTALL)


def paths_like(text: str) -> "str | Glob":
    """Return what a text means as a path: a file `….yml`, a folder `…/`, a pattern, or else the start of paths."""
    if _WILD & set(text):
        return Glob(text)
    return text if text.endswith((_FILE, "/")) else Glob(f"{text}*")


def _bytes(text: str) -> str:
    """Return a text with a letter for each of its bytes."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _members(match: "re.Match[str]") -> str:
    """Return the letters of a set; none for one such as `[z-a]`."""
    found = ""
    for first, last, one in _MEMBERS.findall(match["set"] or ""):
        found += one or "".join(map(chr, range(ord(first), ord(last) + 1)))
    return found


def _for_git(match: "re.Match[str]") -> str:
    if match["any"] or match["one"]:
        return match[0][0]
    members = _members(match)
    if members:
        negated = "!" if match["not"] else ""
        return f"[{negated}{_escaped(members)}]"
    return _escaped(match[0])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _expression(name: str) -> str:
    """Return a name's pattern as a regular expression that never tries the same again, whatever the number of `*`."""
    pieces = [""]
    for match in _PARTS.finditer(name):
        if match["any"]:
            pieces.append("")
        elif match["one"]:
            pieces[-1] += "[^/]"
        else:
            members = _members(match)
            negated = "^/" if match["not"] else ""
            pieces[-1] += f"[{negated}{re.escape(members)}]" if members else re.escape(match[0])
    first, *others = pieces
    if not others:
        return first
    return first + "".join(f"(?>[^/]*?{piece})" for piece in others[:-1]) + f"[^/]*{others[-1]}"

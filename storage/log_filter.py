"""Which commits a log shows: the conditions, as git's options and for the commits that only the journal has."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from storage import reasons
from storage.globs import Glob
from storage.signatures import USER, Person, Signature

# No file has such a path. git fails for some of these, and takes some for another path.
_NO_PATH = re.compile(r"\0|(?:^|/)\.{0,2}(?:/|$)")
_SPECIAL = re.compile(r"([][.*+?{}()|^$\\])")


class _Searched(NamedTuple):
    """The parts of a commit that texts are looked for in."""

    author: str
    message: str
    reason: str = ""


_NOTHING = _Searched("", "")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which commits a log shows: those that pass all filters that are set.

    A new filter is a field here. A text that the commit itself must contain is also a row in `_texts`.
    """

    # A part of the author's name or address, in upper or lower case. A person with a user id means exactly that user:
    # by the trailer, and in commits from before there were such trailers by name and address.
    author: str | Person | None = None
    since: datetime | None = None  # the commit's moment, at the earliest
    until: datetime | None = None  # the commit's moment, at the latest
    path: str | Glob | None = None  # a file, or a folder, that the commit changed something in
    reason: str | None = None  # a part of the reason, in upper or lower case

    def _texts(self, found: _Searched = _NOTHING) -> Iterator[tuple[str, str, str]]:
        """Yield an option of `git log`, the text that it looks for, and where: in the author or the message."""
        rows = [
            ("--author", self.author if isinstance(self.author, str) else None, found.author),
            ("--grep", self.reason, found.reason),  # git looks in the whole message, so its answer is looked through
        ]
        yield from ((option, wanted, text) for option, wanted, text in rows if wanted is not None)

    def _lines(self, names_users: bool, found: _Searched = _NOTHING) -> Iterator[tuple[str, str, str]]:
        """Yield the same of whole lines. `names_users` says whether commits have trailers with the user."""
        if isinstance(self.author, Person) and names_users:
            yield "--grep", f"{USER}: {self.author.user}", found.message
        elif isinstance(self.author, Person):
            yield "--author", f"{self.author.name} <{self.author.email}>", found.author

    @property
    def has_texts(self) -> bool:
        """Whether the author or message of a commit matters."""
        return any(self._texts()) or any(self._lines(True))

    @property
    def is_impossible(self) -> bool:
        """Whether no commit can pass: git fails for such a path, and takes the lines of a text for several texts."""
        path = self.path.pattern if isinstance(self.path, Glob) else self.path
        is_no_path = path is not None and _NO_PATH.search(path.removesuffix("/"))
        return bool(is_no_path) or any(re.search(r"[\n\0]", wanted) for _, wanted, _ in self._texts())

    def git_options(self, *, names_users: bool) -> list[str]:
        """Return the options of `git log` that look for the texts in old commits."""
        texts = [f"{option}={_any_form(wanted)}" for option, wanted, _ in self._texts()]
        lines = [f"{option}=^{_any_form(wanted)}$" for option, wanted, _ in self._lines(names_users)]
        lines += [f"--grep=^{reasons.LENGTH}: "] if self.reason is not None else []
        any_case = ["--regexp-ignore-case"] if texts else []
        return ["--extended-regexp", "--all-match", *any_case, *texts, *lines] if texts or lines else []

    def accepts(self, commit: bytes, *, names_users: bool) -> bool:
        """Tell whether the content of a commit object has the texts: so the commits of the journal are asked."""
        if not self.has_texts:
            return True
        signature, message = Signature.parse(commit), commit.partition(b"\n\n")[2]
        author = f"{signature.name} <{signature.email}>"
        found = _Searched(author, message.decode("utf-8", "replace"), signature.reason or "")
        return all(_has(text, wanted) for _, wanted, text in self._texts(found)) and all(
            any(form in text.split("\n") for form in _forms(wanted))
            for _, wanted, text in self._lines(names_users, found)
        )

    def accepts_message(self, message: str) -> bool:
        """Tell whether a commit that git found passes by its message: git looks for a reason in all lines."""
        found = _Searched("", message)
        lines = [wanted for option, wanted, _ in self._lines(True, found) if option == "--grep"]
        has_lines = all(any(form in message.split("\n") for form in _forms(line)) for line in lines)
        return has_lines and _has(reasons.find(message) or "", self.reason or "")

    def pathspecs(self) -> list[str]:
        """Return the paths as git takes them."""
        if self.path is None:
            return []
        return self.path.pathspecs() if isinstance(self.path, Glob) else [f":(literal){self.path}"]

    def has_path(self, path: str) -> bool:
        """Tell whether a file has the wanted path, or is in the wanted folder."""
        if isinstance(self.path, Glob):
            return self.path.matches(path)
        return self.path is None or path == self.path or path.startswith(f"{self.path.removesuffix('/')}/")


EVERYTHING = LogFilter()


def _has(text: str, wanted: str) -> bool:
    """Tell whether a text has another one in it, in upper or lower case, in any way to write it."""
    return any(form.lower() in text.lower() for form in _forms(wanted))


def _forms(text: str) -> list[str]:
    """Return the ways to write a text: accents as part of their letters (NFC), or after them (NFD)."""
    return list(dict.fromkeys(unicodedata.normalize(form, text) for form in ("NFC", "NFD")))


def _any_form(text: str) -> str:
    """Return a regular expression that finds a text, in any way to write it."""
    forms = [_SPECIAL.sub(r"\\\1", form) for form in _forms(text)]
    return forms[0] if len(forms) == 1 else f"({'|'.join(forms)})"

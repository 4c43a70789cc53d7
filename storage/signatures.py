"""Who made a commit or a tag, when, and the message."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storage import moments, reasons

USER = "User"
_SIGNED = re.compile(rb"^(?:author|tagger) (?P<name>[^\n<]*?) ?<(?P<email>[^\n>]*)> (?P<time>[0-9]+)", re.MULTILINE)
_COMMITTED = re.compile(rb"^committer [^\n]*> (?P<time>[0-9]+)", re.MULTILINE)
_VALUE = re.compile(r"[^\x00-\x1f\x7f]+")
# A message whose last lines are trailers, such as `Request-Id: r1`. The lines about fields start with a small letter.
_HAS_TRAILERS = re.compile(r"\n\n(?:[A-Z][A-Za-z-]*: [^\n]*\n)+\Z")
# Only a tag has a line `Reason`: see storage/reasons.py.
_OWN = re.compile(
    rf"^(?:(?:Reason: (?P<reason>[^\n]+)\n)?{USER}: (?P<user>[^\n]+)\n)?"
    r"(?:Token: (?P<token>[^\n]+)\n)?(?:Time: [^\n]+\n)?\Z",
    re.MULTILINE,
)
_LONGEST_LINES = 3000  # characters


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an e-mail address, as git shows them; and the id of a user, and the name of the user's token."""

    name: str
    email: str
    user: str | None = None
    token: str | None = None

    def trailers(self) -> list[str]:
        """Return the lines that tell user and token; ValueError for one that would break the message's lines."""
        told = {name: value for name, value in ((USER, self.user), ("Token", self.token)) if value is not None}
        for name, value in told.items():
            if not _VALUE.fullmatch(value):
                raise ValueError(f"{value!r} cannot be the {name} of a commit")
        return [f"{name}: {value}" for name, value in told.items()]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a commit or tag, the moment, and the message without the lines that tell user, token and time.

    `reason` is None for a commit or tag that somebody made by hand.
    """

    name: str
    email: str
    user: str | None
    token: str | None
    moment: int
    message: str
    reason: str | None = None

    @classmethod
    def parse(cls, data: bytes) -> "Signature":
        """Read a commit's author or a tag's tagger; ValueError if the object has none.

        The moment is that of the committer: the author of a commit may be older, where somebody amended it.
        """
        header, _, message = data.partition(b"\n\n")
        match = _SIGNED.search(header)
        if match is None:
            raise ValueError("nobody signed it")
        name, email, text = (part.decode("utf-8", "replace") for part in (match["name"], match["email"], message))
        committed = _COMMITTED.search(header)
        seconds = int((committed or match)["time"])
        own = _OWN.search(text, max(0, len(text) - _LONGEST_LINES))
        user, token, told = own.group("user", "token", "reason") if own else (None, None, None)
        reason = reasons.find(text) if committed else told
        kept = text[: own.start()] if own else text
        if own and own[0] and kept.endswith("\n\n"):
            kept = kept[:-1]
        return cls(name, email, user, token, moments.exact(seconds, data), kept, reason)

    @staticmethod
    def is_in(data: bytes) -> bool:
        """Tell whether a commit or tag object has an author or tagger."""
        return _SIGNED.search(data.partition(b"\n\n")[0]) is not None

    @property
    def time(self) -> int:
        """The seconds since 1970, as git has them."""
        return self.moment // moments.SECOND

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


def with_trailers(message: str, trailers: Sequence[str]) -> str:
    """Return a message that ends in some more trailers, in one paragraph with those that it has."""
    if not trailers:
        return message
    whole = message if message.endswith("\n") else f"{message}\n"
    gap = "" if _HAS_TRAILERS.search(whole) else "\n"
    return "".join([whole, gap, *(f"{line}\n" for line in trailers)])

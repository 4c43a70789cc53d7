"""Who made a commit or a tag, when, and the message."""

import re
from dataclasses import dataclass

_SIGNED = re.compile(rb"^(?:author|tagger) (?P<name>[^\n<]*?) ?<(?P<email>[^\n>]*)> (?P<time>[0-9]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an e-mail address, as git shows them."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a commit or tag, when (seconds since 1970), and the message."""

    name: str
    email: str
    time: int
    message: str

    @classmethod
    def parse(cls, data: bytes) -> "Signature":
        """Read a commit's author or a tag's tagger; ValueError if the object has none."""
        header, _, message = data.partition(b"\n\n")
        match = _SIGNED.search(header)
        if match is None:
            raise ValueError("nobody signed it")
        name, email, text = (part.decode("utf-8", "replace") for part in (match["name"], match["email"], message))
        return cls(name, email, int(match["time"]), text)

    @staticmethod
    def is_in(data: bytes) -> bool:
        """Tell whether a commit or tag object has an author or tagger."""
        return _SIGNED.search(data.partition(b"\n\n")[0]) is not None

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

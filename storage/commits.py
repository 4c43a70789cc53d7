"""The bytes of a commit object: writing one, and reading what the store asks of one."""

import re
from dataclasses import dataclass

from git import Actor

COMMITTER = Actor("Bakehouse", "bakehouse@bakehouse.invalid")

_IDENTITY = re.compile(r"[^<>\n\0]+ <[^<>\n\0]+>")
_COMMIT = re.compile(
    rb"tree (?P<tree>[0-9a-f]{40})\n"
    rb"(?:parent (?P<parent>[0-9a-f]{40})\n)?"
    rb"(?:[^\n]+\n)*?committer [^\n]* (?P<time>[0-9]+) [-+][0-9]{4}\n"
)


@dataclass(frozen=True, slots=True)
class CommitHeader:
    """The tree (20-byte id), first parent (40 hex digits) and time (seconds since 1970) of a commit."""

    tree: bytes
    parent: str | None
    time: int

    @classmethod
    def parse(cls, data: bytes) -> "CommitHeader":
        """Read a commit object's content; ValueError if it is not one."""
        match = _COMMIT.match(data)
        if match is None:
            raise ValueError("not a commit")
        parent = match["parent"]
        return cls(
            bytes.fromhex(match["tree"].decode()), parent.decode() if parent else None, int(match["time"])
        )

    def serialize(self, author: Actor, message: str) -> bytes:
        """Return the content of a commit by Bakehouse for `author`."""
        lines = [
            f"tree {self.tree.hex()}",
            *([f"parent {self.parent}"] if self.parent else []),
            f"author {_identity(author)} {self.time} +0000",
            f"committer {_identity(COMMITTER)} {self.time} +0000",
            "",
            message,
        ]
        return "\n".join(lines).encode()


def _identity(actor: Actor) -> str:
    """Return a person as a commit names them; ValueError for one who would change its other lines."""
    identity = f"{actor.name} <{actor.email}>"
    if not _IDENTITY.fullmatch(identity):
        raise ValueError(f"{identity!r} cannot be the author of a commit")
    return identity

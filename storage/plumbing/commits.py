"""Commit and tag objects: writing them, and reading their headers."""

import re
from dataclasses import dataclass
from functools import lru_cache

from storage.ids import CommitId, ObjectId, object_id
from storage.signatures import Person, Signature

COMMITTER = Person("Bakehouse", "bakehouse@bakehouse.invalid")

_IDENTITY = re.compile(r"[^<>\n\0]+ <[^<>\n\0]+>")
_COMMIT = re.compile(
    rb"tree (?P<tree>[0-9a-f]{40})\n"
    rb"(?:parent (?P<parent>[0-9a-f]{40})\n)?"
    rb"(?:[^\n]+\n)*?committer [^\n]* (?P<time>[0-9]+) [-+][0-9]{4}\n"
)
_TAG = re.compile(rb"object (?P<object>[0-9a-f]{40})\ntype [a-z]+\ntag (?P<name>[^\n]+)\n")


@dataclass(frozen=True, slots=True)
class CommitHeader:
    """The tree, first parent and time (seconds since 1970) of a commit."""

    tree: ObjectId
    parent: CommitId | None
    time: int

    @classmethod
    def parse(cls, data: bytes) -> "CommitHeader":
        """Read a commit object's content; ValueError if it is not one."""
        return cls._parse(data[: data.find(b"\n\n") + 1] or data)  # the message may be long

    @classmethod
    @lru_cache(maxsize=1024)  # each request reads the header of the tip
    def _parse(cls, lines: bytes) -> "CommitHeader":
        match = _COMMIT.match(lines)
        if match is None:
            raise ValueError("not a commit")
        parent = CommitId(match["parent"].decode()) if match["parent"] else None
        return cls(object_id(match["tree"].decode()), parent, int(match["time"]))

    def serialize(self, author: Person, message: str) -> bytes:
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


@dataclass(frozen=True, slots=True)
class TagHeader:
    """The object (40 hex digits) that an annotated tag is on, its name, and its tagger if it has one."""

    object: str
    name: str
    signature: Signature | None

    @classmethod
    def parse(cls, data: bytes) -> "TagHeader":
        """Read a tag object's content; ValueError if it is not one."""
        match = _TAG.match(data)
        if match is None:
            raise ValueError("not a tag")
        signature = Signature.parse(data) if Signature.is_in(data) else None  # very old versions of git wrote none
        return cls(match["object"].decode(), match["name"].decode("utf-8", "replace"), signature)


def serialize_tag(name: str, commit: CommitId, tagger: Person, time: int, message: str) -> bytes:
    """Return the content of an annotated tag on a commit."""
    lines = [f"object {commit}", "type commit", f"tag {name}", f"tagger {_identity(tagger)} {time} +0000"]
    return "\n".join([*lines, "", message]).encode()


def _identity(actor: Person) -> str:
    """Return a person as a commit names one; ValueError for a name that would break the commit's lines."""
    identity = f"{actor.name} <{actor.email}>"
    if not _IDENTITY.fullmatch(identity):
        raise ValueError(f"{identity!r} cannot be the author of a commit")
    return identity

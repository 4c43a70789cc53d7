"""Commit and tag objects: writing them, and reading their headers."""

import re
from dataclasses import dataclass
from functools import lru_cache

from storage import moments
from storage.ids import CommitId, ObjectId, object_id
from storage.signatures import Person, Signature, with_trailers

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
    """The tree, first parent and moment of a commit."""

    tree: ObjectId
    parent: CommitId | None
    moment: int

    @property
    def time(self) -> int:
        """The seconds since 1970, as git has them."""
        return self.moment // moments.SECOND

    @classmethod
    def parse(cls, data: bytes) -> "CommitHeader":
        """Read a commit object's content; ValueError if it is not one."""
        tree, parent, seconds = cls._parse(data[: data.find(b"\n\n") + 1] or data)  # the message may be long
        return cls(tree, parent, moments.exact(seconds, data))

    @staticmethod
    @lru_cache(maxsize=1024)  # each request reads the header of the tip
    def _parse(lines: bytes) -> tuple[ObjectId, CommitId | None, int]:
        match = _COMMIT.match(lines)
        if match is None:
            raise ValueError("not a commit")
        parent = CommitId(match["parent"].decode()) if match["parent"] else None
        return object_id(match["tree"].decode()), parent, int(match["time"])

    def serialize(self, author: Person, message: str) -> bytes:
        """Return the content of a commit by Bakehouse for `author`, who is named once more in its last lines."""
        lines = [
            f"tree {self.tree.hex()}",
            *([f"parent {self.parent}"] if self.parent else []),
            f"author {_identity(author)} {self.time} +0000",
            f"committer {_identity(COMMITTER)} {self.time} +0000",
            "",
            with_trailers(message, [*author.trailers(), *moments.lines(self.moment)]),
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


def serialize_tag(
    name: str, commit: CommitId, tagger: Person, time: int, message: str, reason: str | None = None
) -> bytes:
    """Return the content of an annotated tag on a commit.

    The lines that tell reason, user and token are a paragraph of their own, whatever the user's message ends in.
    """
    told = [] if reason is None else [f"Reason: {reason}"]
    trailers = "".join(f"\n{line}" for line in (*told, *tagger.trailers()))
    text = f"{message}{trailers}\n" if trailers else message
    lines = [f"object {commit}", "type commit", f"tag {name}", f"tagger {_identity(tagger)} {time} +0000"]
    return "\n".join([*lines, "", text]).encode()


def _identity(actor: Person) -> str:
    """Return a person as a commit names one; ValueError for a name that would break the commit's lines."""
    identity = f"{actor.name} <{actor.email}>"
    if not _IDENTITY.fullmatch(identity):
        raise ValueError(f"{identity!r} cannot be the author of a commit")
    return identity

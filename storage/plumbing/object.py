"""An object as git stores and names it."""

import hashlib
from typing import NamedTuple

from storage.ids import ObjectId


class GitObject(NamedTuple):
    """Its type (`blob`, `tree`, `commit` or `tag`), its content, and its id."""

    type: str
    data: bytes
    id: ObjectId

    @classmethod
    def of(cls, type_: str, data: bytes) -> "GitObject":
        """Name an object by its content, as `git hash-object` does."""
        digest = hashlib.sha1(b"%b %d\0%b" % (type_.encode(), len(data), data)).digest()
        return cls(type_, data, ObjectId(digest))

"""Reading objects by id, whatever holds them. What cannot be read is damage, never missing.

An id is only asked for where a ref, a commit or a tree of the same repository names it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress

from storage.errors import RepositoryDamaged
from storage.ids import BlobId, ObjectId, object_id
from storage.plumbing.commits import CommitHeader
from storage.plumbing.object import GitObject
from storage.plumbing.trees import Tree

_BLOB_ID = re.compile(r"[0-9a-f]{40}")


class ObjectReader(ABC):
    """The objects of the repository `name`. Each method raises RepositoryDamaged for what cannot be read."""

    name: str

    @abstractmethod
    def load(self, wanted: ObjectId) -> GitObject | Tree:
        """Return an object; trees are parsed."""

    def load_ahead(self, wanted: Iterable[ObjectId], most: int | None = None) -> None:
        """Have many objects in memory, if possible in less time than to load each alone; `most` bytes of the first."""
        if most is not None:
            return
        for one in wanted:
            self.load(one)

    def read(self, wanted: ObjectId) -> tuple[str, bytes]:
        """Return the type and content of an object."""
        value = self.load(wanted)
        return ("tree", value.serialize()) if isinstance(value, Tree) else (value.type, value.data)

    def blob(self, wanted: ObjectId) -> bytes:
        """Return a blob's content."""
        value = self.load(wanted)
        if isinstance(value, Tree) or value.type != "blob":
            raise RepositoryDamaged(self.name, f"the object {wanted.hex()} is not a blob")
        return value.data

    def named_blob(self, digits: str) -> bytes:
        """Return the content of the blob that 40 hex digits in some file name."""
        if not _BLOB_ID.fullmatch(digits):
            raise RepositoryDamaged(self.name, f"{digits!r} is not the id of an object")
        return self.blob(object_id(BlobId(digits)))

    def tree(self, wanted: ObjectId) -> Tree:
        """Return a tree."""
        value = self.load(wanted)
        if not isinstance(value, Tree):
            raise RepositoryDamaged(self.name, f"the object {wanted.hex()} is not a tree")
        return value

    def header(self, wanted: ObjectId) -> CommitHeader:
        """Return the header of a commit: its tree, parent and time."""
        value = self.load(wanted)
        with suppress(ValueError):
            if not isinstance(value, Tree) and value.type == "commit":
                return CommitHeader.parse(value.data)
        raise RepositoryDamaged(self.name, f"the object {wanted.hex()} is not a commit")

"""What `git clone` and `git fetch` are answered: everything that was committed, once a checkpoint gave it to git."""

import re
from collections.abc import Sequence
from typing import IO

from storage.errors import RepositoryDamaged
from storage.ids import CommitId
from storage.journal.tip import Tip
from storage.location import Location
from storage.objects.reader import ObjectReader
from storage.plumbing import transport
from storage.plumbing.refs import HEADS, TAGS, Refs
from storage.plumbing.transport import Upload
from storage.snapshot import Snapshot
from storage.tags import Tag, Tags

_LISTED = re.compile(rb" (refs/tags/[^\n\0]+)\n")


class Fetches:
    """The answers of one repository. Threads may share one."""

    def __init__(self, location: Location, objects: ObjectReader, tip: Tip, tags: Tags, refs: Refs) -> None:
        self._location = location
        self._objects = objects
        self._tip = tip
        self._tags = tags
        self._refs = refs

    def advertise_refs(self, protocol: str) -> bytes:
        """Return the first answer to a `git clone` or `git fetch`; `protocol` is `Git-Protocol`."""
        self._tip.checkpoint(None)
        with self._location.explained():
            # git would send a branch to a commit that is missing.
            for commit in {self._tip.read(), *self._refs.all(HEADS).values()}:
                Snapshot(self._objects, CommitId(commit))
            tags = self._tags.all()
        answer = transport.advertise_refs(self._location, protocol)
        if tags:  # version 2 of the protocol lists the refs in a later answer
            self._check(tags, answer if _LISTED.search(answer) else transport.advertise_refs(self._location, ""))
        return answer

    def _check(self, tags: Sequence[Tag], answer: bytes) -> None:
        """Raise RepositoryDamaged where git's list of refs lacks a tag: git leaves out what it cannot read.

        The memory may still have such a tag, from before its file was damaged.
        """
        listed = {name.decode() for name in _LISTED.findall(answer)}
        for tag in tags:
            name = f"{TAGS}/{tag.name}"
            needed = {name} if tag.signature is None else {name, f"{name}^{{}}"}
            if not needed <= listed:
                raise RepositoryDamaged(self._location.name, f"git cannot read its tag '{tag.name}'")

    def bundle(self) -> Upload:
        """Return all that was committed, and all refs, as a bundle: a file at its start."""
        with self._location.explained():
            self._tip.checkpoint(None)
            Snapshot(self._objects, self._tip.read())
            return transport.bundle(self._location.folder, "--all")

    def upload_pack(self, protocol: str, request: IO[bytes]) -> Upload:
        """Return the answer to a request for objects: a file at its start, which is closed here.

        Closing the answer early ends the git process that it comes from.
        """
        with request, self._location.explained():
            self._tip.checkpoint(None)
            return transport.upload_pack(self._location.folder, protocol, request)

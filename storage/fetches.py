"""What `git clone` and `git fetch` are answered: everything that was committed, once a checkpoint gave it to git."""

from typing import IO

from storage.journal.tip import Tip
from storage.location import Location
from storage.objects.reader import ObjectReader
from storage.plumbing import transport
from storage.plumbing.transport import Upload
from storage.snapshot import Snapshot
from storage.tags import Tags


class Fetches:
    """The answers of one repository. Threads may share one."""

    def __init__(self, location: Location, objects: ObjectReader, tip: Tip, tags: Tags) -> None:
        self._location = location
        self._objects = objects
        self._tip = tip
        self._tags = tags

    def advertise_refs(self, protocol: str) -> bytes:
        """Return the first answer to a `git clone` or `git fetch`; `protocol` is `Git-Protocol`."""
        self._tip.checkpoint(None)
        with self._location.explained():
            Snapshot(self._objects, self._tip.read())  # git would send a branch to a commit that is missing
            self._tags.all()  # git leaves out a tag that cannot be read
        return transport.advertise_refs(self._location, protocol)

    def upload_pack(self, protocol: str, request: IO[bytes]) -> Upload:
        """Return the answer to a request for objects: a file at its start, which is closed here.

        Closing the answer early ends the git process that it comes from.
        """
        with request, self._location.explained():
            self._tip.checkpoint(None)
            return transport.upload_pack(self._location.folder, protocol, request)

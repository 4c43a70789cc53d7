"""Objects as git reads them, each compared with its id: one `git cat-file` process for a repository."""

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from storage.errors import NO_ROOM, RepositoryDamaged, StorageUnavailable
from storage.ids import ObjectId
from storage.location import Location
from storage.machine import git_command
from storage.machine.cores import on_all_cores
from storage.plumbing.object import GitObject
from storage.waits import PAUSE, Waits
from storage.watch import Ended

_AT_ONCE = 1000  # objects whose content is in memory together


def read_some(location: Location, wanted: Sequence[ObjectId], most: int) -> Iterator[GitObject]:
    """Yield the first of at most 1000 objects, as many as git tells in `most` bytes; else as `read_many` does."""
    ids = "".join(f"{object_id.hex()}\n" for object_id in wanted).encode()
    yield from _parse(git_command.start_of_output(location, most, "cat-file", "--batch", "--buffer", stdin=ids)[1])


def read_many(location: Location, wanted: Sequence[ObjectId]) -> Iterator[GitObject]:
    """Yield objects from few git processes, in no order.

    Those that cannot be read, or are not what their ids say, are left out.
    """
    for start in range(0, len(wanted), _AT_ONCE):
        ids = "".join(f"{object_id.hex()}\n" for object_id in wanted[start : start + _AT_ONCE])
        _, output, _ = git_command.attempt(location, "cat-file", "--batch", "--buffer", stdin=ids)
        yield from _parse(output)


def _parse(output: bytes) -> Iterator[GitObject]:
    """Yield the objects in the output of `git cat-file --batch`: `<id> <type> <size>`, the content, a newline."""
    at = 0
    while (end := output.find(b"\n", at)) > 0:
        hex_id, *rest = output[at:end].split(b" ")
        at = end + 1
        if len(rest) == 2:  # otherwise git says that the object is missing
            item = GitObject.of(rest[0].decode(), output[at : at + int(rest[1])])
            at += int(rest[1]) + 1
            if item.id.hex().encode() == hex_id:
                yield item


class CatFile:
    """Reads the objects of a repository. Threads may share one; one reads at a time."""

    def __init__(self, location: Location, waits: Waits) -> None:
        self._name = location.name
        self._waits = waits
        self._key = str(location.folder / "objects")  # under which `waits` counts who waits to read
        self._git = git_command.kept(location.folder)
        self._lock = threading.Lock()
        weakref.finalize(self, git_command.end, self._git)

    def close(self) -> None:
        """End the process; the next read starts another."""
        git_command.end(self._git)

    def read(self, object_id: ObjectId) -> GitObject:
        """Return an object whose content is what its id says.

        A process that is killed, or meets damage, ends in the middle of an object; a damaged index
        leads to another object. So each read is tried once more, with a new process.

        Raises RepositoryDamaged for an object that cannot be read, StorageUnavailable where git does not
        start or does not answer.
        """
        hex_id = object_id.hex()
        with self._alone(), on_all_cores():
            for _ in range(2):
                try:
                    with self._waits.watch.over(partial(git_command.kill, self._git)):
                        item = GitObject.of(*git_command.read(self._git, hex_id))
                    if item.id == object_id:
                        return item
                    problem = f"the object {hex_id} is damaged: its content is not what its id says"
                except Ended as error:
                    git_command.end(self._git)
                    raise StorageUnavailable(self._name, "git does not answer") from error
                except (ValueError, OSError) as error:
                    problem = f"git cannot read the object {hex_id}"
                    if isinstance(error, OSError) and error.errno in NO_ROOM:
                        git_command.end(self._git)
                        raise StorageUnavailable(self._name, f"git cannot begin: {error.strerror}") from error
                git_command.end(self._git)
        raise RepositoryDamaged(self._name, problem)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Have the process to oneself; StorageUnavailable where others wait for it too long."""
        with self._waits.waiting(self._key) as wait:
            while not self._lock.acquire(timeout=PAUSE):
                try:
                    wait.check(2 * self._waits.seconds)  # the thread before may try twice
                except TimeoutError as error:
                    raise StorageUnavailable(self._name, "others wait for git to answer") from error
        self._waits.note_free(self._key)
        try:
            yield
        finally:
            self._lock.release()

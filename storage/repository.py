"""One bare git repository: its tip, what lies in it, and the way to change it."""

import subprocess
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import git

from storage import process, recovery, transport
from storage.errors import RepositoryDamaged, RepositoryNotFound, StorageUnavailable, explained
from storage.maintenance import Maintenance
from storage.objects import ObjectCache, ObjectDatabase
from storage.refs import REF, Branch
from storage.snapshot import Snapshot
from storage.transaction import Transaction, Writer

T = TypeVar("T")


class Repository:
    """A repository that Bakehouse made. Threads may share one."""

    def __init__(self, name: str, path: Path, cache: ObjectCache, maintenance: Maintenance) -> None:
        """Open the repository at `path`; RepositoryNotFound or RepositoryDamaged if it cannot be."""
        self.name = name
        self.path = path
        try:
            self._git = git.Repo(path, odbt=ObjectDatabase, expand_vars=False)
            self._git.git.update_environment(**process.environment())
        except git.NoSuchPathError as error:
            raise RepositoryNotFound(name) from error
        except (git.InvalidGitRepositoryError, OSError) as error:
            raise RepositoryDamaged(name, "its folder is not a git repository") from error
        weakref.finalize(self, self._git.git.clear_cache)  # ends `cat-file`, whatever order things go in
        assert isinstance(self._git.odb, ObjectDatabase)
        self._objects = self._git.odb
        self._objects.share(cache)
        self._branch = Branch(name, path)
        with explained(name, path):
            recovery.recover(self._branch, self._objects)
        self._maintenance = maintenance
        self._writer = Writer(self._objects, self._branch)

    @classmethod
    def init(cls, name: str, path: Path, change: Callable[[Transaction], object]) -> None:
        """Make a repository in a new folder, with `change` as its first commit."""
        path.mkdir()
        branch = Path(REF).name
        try:
            # "Unsafe" speaks of a template with hooks; an empty one is the way to have none.
            git.Repo.init(path, bare=True, template="", initial_branch=branch, allow_unsafe_options=True)
        except git.GitCommandError as error:
            raise StorageUnavailable(name, "git cannot make a repository there") from error
        recovery.mark(path)
        repository = cls(name, path, ObjectCache(), Maintenance())
        transaction = Transaction(repository._objects, None)
        change(transaction)
        repository._objects.flush(str(transaction.tip))
        repository._branch.create(str(transaction.tip))

    def head(self) -> Snapshot:
        """Return what lies in the repository now."""
        with explained(self.name, self.path):
            self._objects.refresh()
            return Snapshot(self._objects, self._branch.read())

    def transact(self, change: Callable[[Transaction], T]) -> T:
        """Run `change` on the tip, alone; return its result once what it committed is durable.

        It may be called together with other threads' changes, before one flush; if it raises,
        nothing of it is kept.
        """
        result = self._writer.submit(change)
        self._maintenance.consider(self._branch, self._objects.pack_count())
        return result

    def advertise_refs(self, protocol: str) -> bytes:
        """Return the first answer to a `git clone` or `git fetch`; `protocol` is `Git-Protocol`."""
        self.head()  # git takes a branch that cannot be read for none, and the repository for empty
        with explained(self.name, self.path):
            try:
                return transport.advertise_refs(self.path, protocol)
            except subprocess.CalledProcessError as error:
                raise RepositoryDamaged(self.name, "git cannot list its refs") from error

    def upload_pack(self, protocol: str, request: IO[bytes]) -> Iterator[bytes]:
        """Yield the answer to a request for objects, read from the file `request`."""
        return transport.upload_pack(self.path, protocol, request)

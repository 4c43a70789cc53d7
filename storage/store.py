"""Repositories in folders under one root. Only this module makes paths from the names of repositories."""

import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cachetools import LRUCache

from storage import leftovers, moves
from storage.branches import BranchFiles
from storage.budget import UNLIMITED, Limits
from storage.caches import Cache, weigh
from storage.errors import RepositoryExists, StorageError, explained
from storage.journal.checkpointer import PATIENCE_SECONDS
from storage.location import Location
from storage.machine import disk
from storage.maintenance import Maintenance
from storage.moves import SUFFIX, UNFINISHED
from storage.repository import Repository
from storage.shared import Shared
from storage.snapshot import Snapshot
from storage.transaction import Transaction
from storage.waits import Waits

# One part of a path. It starts with no dot, so it cannot lead out of its folder. Callers allow fewer names.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,131}")
_LIST_CACHE_SIZE = 16 * 1024 * 1024  # bytes: some 200,000 names
# A folder's time moves in steps of some milliseconds, so a second change in one step goes unnoticed. A list is
# kept only if the folder has not changed for so many nanoseconds.
_SETTLED = 1_000_000_000


class Store:
    """The repositories under `root`, each known by its path without `.git`, such as `alice/demo`."""

    def __init__(
        self,
        root: Path,
        maintenance: Maintenance | None = None,
        waits: Waits | None = None,
        open_at_most: int = 128,
        limits: Limits = UNLIMITED,
        check: Callable[[Snapshot], None] = lambda _: None,
        branch_files: BranchFiles = BranchFiles(),  # noqa: B008 — it never changes
    ) -> None:
        """Keep repositories in `root`; each change heeds `limits`. Several stores may share `maintenance` and `waits`.

        `check` raises LayoutUnknown for a repository whose files the caller does not know how to use. git sees a
        branch for each of the `branch_files`.
        At most `open_at_most` repositories stay open, each with its journal and perhaps a `git cat-file` process.
        """
        self._root = root
        background = maintenance or Maintenance(root / ".maintenance")
        self._shared = Shared(background, waits or Waits(), limits, check=check, branch_files=branch_files)
        self._lock = threading.Lock()
        self._open: LRUCache[str, Repository] = LRUCache(open_at_most)
        self._listed: Cache[str, tuple[int, tuple[str, ...]]] = Cache(_LIST_CACHE_SIZE)

    def open(self, name: str) -> Repository:
        """Return a repository; RepositoryNotFound or RepositoryDamaged if it cannot be opened."""
        with self._lock:
            repository = self._open.get(name)
            if repository is not None and repository.is_gone():
                del self._open[name]
                repository = None
        if repository is None:  # opened outside the lock, so that a slow recovery delays no other repository
            repository = moves.open_in_place(self._shared, self.location(name))
            with self._lock:
                repository = self._open.setdefault(name, repository)
        return repository

    def create(self, name: str, change: Callable[[Transaction], object]) -> Repository:
        """Make a repository with `change` as its first commit, whole and durable or not at all.

        Raises RepositoryExists; or NameTaken where the name of the repository, or of its folder, differs from
        an existing one only in case.
        """
        path = self._path(f"{name}{SUFFIX}")
        with explained(_last(name), self._root):
            self._make_folder(path.parent)
            with disk.exclusive(path.parent, self._shared.waits):
                moves.refuse_other_case(path, _last(name))
                if path.exists():
                    raise RepositoryExists(_last(name))
                self._create_at(path, _last(name), change)
            with self._lock:
                self._open.pop(name, None)  # one of that name which was removed by hand
        return self.open(name)

    def move(
        self, name: str, to: "Store", new: str, before: Callable[[], None], after: Callable[[], None] = moves.nothing
    ) -> None:
        """Give a repository another name, also in another store on the same disk, durably or not at all.

        `before` and `after` are called as `moves.move` tells.
        Raises RepositoryNotFound, RepositoryExists, or NameTaken as `create` does.
        """
        source, target = self.location(name), to.location(new)
        with suppress(StorageError):  # so that the folder is complete to git; else the journal moves along as it is
            self.open(name).checkpoint(PATIENCE_SECONDS)
        with explained(source.name, source.folder):
            to._make_folder(target.folder.parent)
            moves.move(self._shared, source, target, before, after)
        for store, moved in ((self, name), (to, new)):
            with store._lock:
                store._open.pop(moved, None)

    def remove(self, name: str) -> None:
        """Remove a repository for good, whole or not at all; RepositoryNotFound if there is none."""
        location = self.location(name)
        with explained(location.name, location.folder):
            moves.remove(self._shared, location)
        with self._lock:
            self._open.pop(name, None)

    def inode(self, name: str) -> int | None:
        """Return the number of a repository's folder, which stays when it is moved; None where there is no such."""
        location = self.location(name)
        with explained(location.name, self._root), suppress(FileNotFoundError):
            return location.folder.stat().st_ino
        return None

    @contextmanager
    def hold(self, *names: str) -> Iterator[None]:
        """Keep everybody from making, moving or removing a repository in the folders that some names are in."""
        parents = {self.location(name).folder.parent for name in names}
        there = set(filter(Path.is_dir, parents))
        with explained(_last(names[0]), self._root), moves.holding(self._shared, there):
            yield

    def adopt(self, name: str, build: Callable[[Location], None], before: Callable[[], None]) -> Repository:
        """Make a repository of what `build` puts into a scratch folder, whole and durable or not at all.

        `before` is called, and errors are raised, as `move` does.
        """
        target = self.location(name)
        with explained(target.name, self._root):
            self._make_folder(target.folder.parent)
            with moves.scratch(self._root) as folder:
                source = Location(target.name, folder / target.folder.name)
                build(source)
                disk.sync_tree(source.folder)
                moves.move(self._shared, source, target, before)
        with self._lock:
            self._open.pop(name, None)
        return self.open(name)

    def checkpoint_leftovers(self) -> None:
        """Make checkpoints, in the background, of what killed processes left in their journals.

        Repositories in the root itself, such as the accounts, get theirs when they are opened.
        """

        def repositories() -> Iterator[tuple[str, Location]]:
            for folder in self.folders():
                with leftovers.logged("The journals that killed processes left are not looked for in one folder: %s"):
                    for name in self.list(folder):
                        yield f"{folder}/{name}", self.location(f"{folder}/{name}")

        leftovers.checkpoint_all(self._shared, repositories, self.open)

    def folders(self) -> list[str]:
        """Return the sorted names of the folders that repositories are in."""
        with explained("", self._root), os.scandir(self._root) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.is_dir() and _is_safe(entry.name) and not entry.name.endswith(SUFFIX)
            )

    def list(self, folder: str, is_name: Callable[[str], bool] = bool) -> Sequence[str]:
        """Return the sorted names of the repositories in a folder; none where there is no folder.

        `is_name` tells which names the caller accepts; it must be the same each time for one folder.
        """
        with explained(folder, self._root):
            path = self._path(folder)
            try:
                changed = path.stat().st_mtime_ns
                known = self._listed.get(folder)
                if known and known[0] == changed:
                    return known[1]
                entries = os.listdir(path)
            except FileNotFoundError:
                return ()
        names = (entry.removesuffix(SUFFIX) for entry in entries if entry.endswith(SUFFIX))
        listed = tuple(sorted(name for name in names if _is_safe(name) and is_name(name)))
        if time.time_ns() - changed > _SETTLED:
            self._listed.put(folder, (changed, listed), weigh(listed))
        return listed

    def location(self, name: str) -> Location:
        """Return where a repository is, or would be."""
        return Location(_last(name), self._path(f"{name}{SUFFIX}"))

    def _path(self, name: str) -> Path:
        components = name.split("/")
        for component in components:
            if not _is_safe(component):
                raise ValueError(f"{component!r} cannot name a folder")
        return self._root.joinpath(*components)

    def _make_folder(self, folder: Path) -> None:
        """Make the folders between the root and a repository, durably."""
        if folder.is_dir():
            return
        if folder == self._root:
            folder.mkdir(exist_ok=True)
            disk.sync(folder.parent)
            return
        self._make_folder(folder.parent)
        with disk.exclusive(folder.parent, self._shared.waits):
            moves.refuse_other_case(folder, folder.name)
            folder.mkdir(exist_ok=True)
            disk.sync(folder.parent)

    def _create_at(self, path: Path, name: str, change: Callable[[Transaction], object]) -> None:
        """Build a repository in a scratch folder, and rename it. The caller holds the lock of the parent folder."""
        moves.remove_leftovers(path.parent)
        with tempfile.TemporaryDirectory(
            prefix=UNFINISHED,
            dir=path.parent,
            ignore_cleanup_errors=True,  # the next `create` removes it
        ) as scratch:
            unfinished = Path(scratch, path.name)
            Repository.init(Location(name, unfinished), change, self._shared.limits)
            disk.sync_tree(unfinished)
            position = self._shared.open_journal(Location(name, unfinished)).head()
            unfinished.rename(path)
            try:
                disk.sync(path.parent)
            except OSError:
                journal = self._shared.open_journal(Location(name, path))
                with journal.lock():
                    if journal.head() == position:  # otherwise somebody has written to it, and it stays
                        path.rename(unfinished)
                raise


def _is_safe(component: str) -> bool:
    return _SAFE.fullmatch(component) is not None


def _last(name: str) -> str:
    return name.rpartition("/")[2]

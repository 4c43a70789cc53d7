"""Moving and removing whole repositories: each is one rename, beside readers and writers of any process.

Whoever moves a repository holds its journal. A write that came first moves along. A write that comes later finds
the journal's file gone from its place, or another one there, and gets RepositoryNotFound: `FileJournal.lock` looks
once more when it has the lock. So no write is answered in a folder that nobody looks at.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Set
from contextlib import ExitStack, contextmanager
from pathlib import Path

from storage.errors import NameTaken, RepositoryDamaged, RepositoryExists
from storage.location import Location
from storage.machine import disk
from storage.repository import Repository
from storage.shared import Shared
from storage.waits import Waits

SUFFIX = ".git"
UNFINISHED = ".new-"  # how the names of folders start that are no repository yet, or no longer
_SCRATCH = ".build-"
_LOCK = "lock"
_TRIES = 3  # at opening a repository that is moved meanwhile


def open_in_place(shared: Shared, location: Location) -> Repository:
    """Open a repository; once more where its folder was moved meanwhile, which looks like damage."""
    for _ in range(_TRIES):
        before = _signature(location.folder)
        try:
            return Repository(location, shared)
        except RepositoryDamaged:
            if before == _signature(location.folder):
                raise
    return Repository(location, shared)


def nothing() -> None:
    """Do nothing, where nothing has to be done before or after a move."""


def move(
    shared: Shared, source: Location, target: Location, before: Callable[[], None], after: Callable[[], None] = nothing
) -> None:
    """Rename the folder of a repository, durably or not at all. Both parent folders exist, on one file system.

    `before` is called once nothing else can refuse the move, while nobody can write to the repository. `after` is
    called when it has moved, while nobody can move, remove or make a repository in the two parent folders.
    Raises RepositoryExists or NameTaken where the name is taken.
    """
    parents = {source.folder.parent, target.folder.parent}
    with holding(shared, parents):
        refuse_other_case(target.folder, target.name, but=source.folder)
        if target.folder.exists():
            raise RepositoryExists(target.name)
        with _held(shared, source):
            before()
            source.folder.rename(target.folder)
            try:
                for parent in sorted(parents):
                    disk.sync(parent)
            except OSError:
                target.folder.rename(source.folder)
                raise
        after()


@contextmanager
def holding(shared: Shared, parents: Set[Path]) -> Iterator[None]:
    """Hold folders against everybody who moves, removes or makes repositories in them."""
    with ExitStack() as held:
        for parent in sorted(parents):  # one order, so that no two moves wait in a circle
            held.enter_context(disk.exclusive(parent, shared.waits))
        yield


def remove(shared: Shared, location: Location) -> None:
    """Remove a repository for good. A crash leaves it whole, or a folder that `remove_leftovers` takes away."""
    parent = location.folder.parent
    with disk.exclusive(parent, shared.waits):
        remove_leftovers(parent)
        with _held(shared, location):
            gone = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=parent))
            location.folder.rename(gone / location.folder.name)
        disk.sync(parent)
        shutil.rmtree(gone)


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Make a folder for a repository that is being built, and remove it, and those that killed processes left.

    A folder is locked for as long as a process builds in it. The lock of the root keeps others from removing one
    between its making and its locking.
    """
    waits = Waits()
    with ExitStack() as held:
        with disk.exclusive(root, waits):
            for leftover in root.glob(f"{_SCRATCH}*"):
                if not _is_locked(leftover):
                    shutil.rmtree(leftover, ignore_errors=True)
            made = tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=root, ignore_cleanup_errors=True)
            folder = Path(held.enter_context(made))
            (folder / _LOCK).mkdir()  # `move` takes the lock of the folder itself
            held.enter_context(disk.exclusive(folder / _LOCK, waits))
        yield folder


def remove_leftovers(parent: Path) -> None:
    """Remove what a process left that died here. The caller holds the folder."""
    for leftover in parent.glob(f"{UNFINISHED}*"):
        shutil.rmtree(leftover)


def refuse_other_case(path: Path, name: str, but: Path | None = None) -> None:
    """Raise NameTaken where the folder has an entry other than `but` that differs from a new one only in case."""
    for entry in os.listdir(path.parent):
        if entry != path.name and entry.lower() == path.name.lower() and path.parent / entry != but:
            raise NameTaken(name, entry.removesuffix(SUFFIX))


def _held(shared: Shared, location: Location) -> ExitStack:
    """Hold a repository against maintenance, which knows files by their paths, and then against writers."""
    with ExitStack() as held:
        held.enter_context(disk.exclusive(location.folder / "objects", shared.waits))
        held.enter_context(shared.open_journal(location).lock())
        return held.pop_all()


def _is_locked(folder: Path) -> bool:
    """Tell whether a process builds in a folder."""
    try:
        with disk.exclusive(folder / _LOCK, Waits(seconds=0)):
            return False
    except FileNotFoundError:
        return False
    except TimeoutError:
        return True


def _signature(folder: Path) -> tuple[int, int] | None:
    """Return what differs once a folder was moved or replaced; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns

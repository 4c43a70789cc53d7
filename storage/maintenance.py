"""Maintenance: few packs, and an index of which commit changed which file.

Each checkpoint adds a pack, and git is slow with many packs. Without a commit-graph git reads every commit to
find those that changed a file.

git itself rolls the small packs into one, beside readers and writers. All objects stay, also those that no
ref leads to, since the branch of a checkpoint under way may be about to move.
"""

import logging
import queue
import re
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.errors import RepositoryDamaged, StorageError
from storage.journal.interface import Journal
from storage.machine import disk, git_command
from storage.plumbing import checked_git, pack_files
from storage.plumbing.branch import Branch
from storage.plumbing.checked_git import CheckedGit
from storage.roll_up import pack_sizes, pack_together, roll_up
from storage.waits import Waits

ROLL_UP_ABOVE = 256  # packs, loose objects or loose tags
ROLL_UP_SIZE = 16 * 1024 * 1024  # bytes in packs of checkpoints, which compress nothing
# The files named below live for a minute at most. One that is older was left by a process that was killed.
_STALE_AFTER_SECONDS = 3600
_SCRATCH = (  # files that are renamed when they are complete; the last keeps a pack until its ref is made
    "tmp_*",
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/info/commit-graphs/tmp_*",
    "packed-refs.new",
    f"objects/pack/{pack_files.PREFIX}*.keep",
)
# git never overwrites these.
_LOCKS = ("objects/info/commit-graphs/commit-graph-chain.lock", "packed-refs.lock", "refs/tags/**/*.lock")

_OBJECT_ID = re.compile(r"[0-9a-f]{40}")

# Another process may be maintaining the same repository: a large one takes minutes.
_WAITS = Waits(seconds=600.0)

_log = logging.getLogger(__name__)


def write_commit_graph(branch: Branch) -> None:
    """Write git's index of commits by the paths that they changed.

    New commits become a layer of their own. git merges layers now and then.
    """
    options = ("--reachable", "--changed-paths", "--split")
    git_command.run(branch.location, "commit-graph", "write", *options)


def is_due(branch: Branch) -> bool:
    """Tell whether git is slow with so many packs, loose objects or tags, or much is not compressed."""
    folder = branch.location.folder
    sizes = pack_sizes(folder)
    return (
        len(sizes) > ROLL_UP_ABOVE
        or sum(size for name, size in sizes.items() if name.startswith(pack_files.PREFIX)) > ROLL_UP_SIZE
        or len(_loose_objects(folder)) > ROLL_UP_ABOVE
        or len(list((folder / "refs/tags").glob("*"))) > ROLL_UP_ABOVE
    )


def maintain(branch: Branch, journal: Journal) -> tuple[int, int]:
    """Roll up packs, write the commit-graph and pack the tags; wait for another process that does the same.

    Returns the bytes on disk before and after.
    The branch is not packed: it moves, and a writer would wait while git has its lock.
    """
    folder = branch.location.folder
    before = disk.usage(folder)
    journal.shrink()
    with disk.exclusive(folder / "objects", _WAITS):
        _remove_leftovers(folder)
        _refuse_damage(branch)
        try:
            _tidy(branch)
        except RepositoryDamaged:  # an operator's `git gc` may have removed packs that were just listed
            _tidy(branch)
    return before, disk.usage(folder)


def _refuse_damage(branch: Branch) -> None:
    """Raise RepositoryDamaged where a pack is damaged: git would write what it misreads into a new pack.

    A damaged commit-graph is removed; a new one follows.
    """
    if checked_git.WITHOUT_GRAPH in CheckedGit(branch.location).check():
        folder = branch.location.folder / "objects/info"
        shutil.rmtree(folder / "commit-graphs", ignore_errors=True)
        (folder / "commit-graph").unlink(missing_ok=True)


def _tidy(branch: Branch) -> None:
    loose = _loose_objects(branch.location.folder)  # made by git commands of an operator
    if loose:
        pack_together(branch, loose)
        git_command.run(branch.location, "prune-packed", "--quiet")
    roll_up(branch)
    write_commit_graph(branch)
    git_command.run(branch.location, "pack-refs")


def _loose_objects(git_folder: Path) -> list[str]:
    """Return the ids of the objects in files of their own."""
    found = ("".join(path.parts[-2:]) for path in (git_folder / "objects").glob("[0-9a-f][0-9a-f]/*"))
    return [object_id for object_id in found if _OBJECT_ID.fullmatch(object_id)]


def _remove_leftovers(git_folder: Path) -> None:
    """Remove scratch files, git's locks, and packs without an index that killed processes left."""
    scratch = [path for pattern in (*_SCRATCH, *_LOCKS) for path in git_folder.glob(pattern)]
    packs = (git_folder / "objects/pack").glob("*.pack")
    for path in [*scratch, *(pack for pack in packs if not pack.with_suffix(".idx").exists())]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _STALE_AFTER_SECONDS:
                path.unlink()


@dataclass
class Growth:
    """What this process has put into a repository since maintenance last looked at it: bytes and tags."""

    size: int = 0
    tags: int = 0

    def add(self, size: int, tags: int) -> None:
        """Note a checkpoint that wrote so many bytes and tags."""
        self.size += size
        self.tags += tags

    def is_due(self, packs: int) -> bool:
        """Tell whether maintenance should look at the repository, which has so many packs."""
        return packs > ROLL_UP_ABOVE or self.size > ROLL_UP_SIZE or self.tags > ROLL_UP_ABOVE


class Maintenance:
    """A background thread that maintains the repositories of all stores of a server.

    Of all processes that share the folder `turns`, one maintains one repository at a time.
    """

    def __init__(self, turns: Path | None) -> None:
        """Make a folder, whose lock the processes take in turn; None: do nothing in the background."""
        self._turns = turns
        self._due: queue.SimpleQueue[tuple[Branch, Journal]] = queue.SimpleQueue()
        self._queued: set[Path] = set()
        self._state = threading.Lock()
        self._thread: threading.Thread | None = None

    def consider(self, branch: Branch, journal: Journal, growth: Growth, packs: int) -> None:
        """Queue a repository if it has grown enough by now; this never blocks."""
        if self._turns is None or not growth.is_due(packs):
            return
        growth.size = growth.tags = 0
        with self._state:
            if self._thread is None or not self._thread.is_alive():  # a fork has no thread of its parent's
                thread = threading.Thread(target=self._work, args=(self._turns,), name="maintenance", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # there are too many threads; the next checkpoint tries again
                    return
                self._thread = thread
            if branch.location.folder in self._queued:
                return
            self._queued.add(branch.location.folder)
        self._due.put((branch, journal))

    def _work(self, turns: Path) -> None:
        while True:
            branch, journal = self._due.get()
            try:
                turns.mkdir(exist_ok=True)
                with disk.exclusive(turns, _WAITS):
                    if is_due(branch):  # otherwise another process was quicker
                        maintain(branch, journal)
            except (OSError, StorageError) as error:
                _log.warning("%s was not maintained: %s", branch.location.name, error)
            finally:
                with self._state:
                    self._queued.discard(branch.location.folder)

"""Keeping a repository quick to read: few packs, and an index of which commit changed what.

Each time that a repository is published a pack is added, and git reads many slowly; without a
commit-graph it reads every commit to find those that changed a file.

The small packs are rolled into one by git itself, beside readers and writers: every object
stays, reachable or not, so what is published and whose branch has not moved yet loses nothing.
"""

import logging
import os
import queue
import re
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from storage.errors import RepositoryDamaged
from storage.journal.interface import Journal
from storage.machine import disk, git_command
from storage.plumbing import checked_git, pack_files
from storage.plumbing.branch import Branch
from storage.plumbing.checked_git import CheckedGit
from storage.waits import Waits

ROLL_UP_ABOVE = 256
# What a name below stands for is there for a minute at the very most, unless a kill leaves it.
_STALE_AFTER_SECONDS = 3600
_SCRATCH = (  # renamed once written, but for the last
    "tmp_*",
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/info/commit-graphs/tmp_*",
    "packed-refs.new",
    f"objects/pack/{pack_files.PREFIX}*.keep",
)
# Which git would never write over again.
_LOCKS = ("objects/info/commit-graphs/commit-graph-chain.lock", "packed-refs.lock", "refs/tags/**/*.lock")

# A pack, and what git makes beside it: the index first, which is where git looks for the others.
_PACK_SUFFIXES = (".idx", ".pack", ".rev", ".bitmap", ".mtimes")

_OBJECT_ID = re.compile(r"[0-9a-f]{40}")

# Another process may be at it: a large repository takes it minutes.
_WAITS = Waits(seconds=600.0)

_log = logging.getLogger(__name__)


def pack_sizes(git_folder: Path) -> dict[str, int]:
    """Return the size in bytes of each pack that git sees, by file name, smallest first.

    One without an index is no such pack: a flush that a power loss cut off.
    """
    folder = git_folder / "objects" / "pack"
    sizes = {}
    for name in os.listdir(folder):
        if name.endswith(".idx"):
            pack = (folder / name).with_suffix(".pack")
            with suppress(FileNotFoundError):  # it has just gone
                sizes[pack.name] = pack.stat().st_size
    return dict(sorted(sizes.items(), key=lambda item: item[1]))


def roll_up(branch: Branch) -> int:
    """Roll the small packs into one and return how many there were.

    Small is a flush, and what is not larger than twice all that is smaller: packs stay in a
    geometric progression, so an object is rewritten a logarithmic number of times. The old packs go
    once the new one is durable.
    """
    small = _find_small(branch.git_folder)
    if len(small) < 2:
        return 0
    folder = branch.git_folder / "objects" / "pack"
    rolled = _pack(branch, small, "--stdin-packs", "--no-reuse-object")
    _remove_multi_pack_index(folder)
    for name in set(small) - {f"pack-{rolled}.pack"}:  # the same, where all objects were in one already
        for suffix in _PACK_SUFFIXES:
            (folder / name).with_suffix(suffix).unlink(missing_ok=True)
    return len(small)


def _remove_multi_pack_index(folder: Path) -> None:
    """Remove the index that an operator's git made over packs of which some are about to go.

    Git's own `repack` does so, too: else git would go on looking for them.
    """
    shutil.rmtree(folder / "multi-pack-index.d", ignore_errors=True)  # a chain of them, of newer gits
    for path in [folder / "multi-pack-index", *folder.glob("multi-pack-index-*")]:
        path.unlink(missing_ok=True)


def write_commit_graph(branch: Branch) -> None:
    """Let git find the commits that changed a path without reading the others.

    The commits since the last time are added in a layer of their own, which git merges now and then.
    """
    options = ("--reachable", "--changed-paths", "--split")
    git_command.run(branch.name, branch.git_folder, "commit-graph", "write", *options)


def _find_small(git_folder: Path) -> list[str]:
    """Return the flushed packs, whatever their size, and the small ones among the others.

    A pack that somebody said git is to keep is none of them.
    """
    folder = git_folder / "objects" / "pack"
    sizes = {
        name: size
        for name, size in pack_sizes(git_folder).items()
        if not (folder / name).with_suffix(".keep").exists()
    }
    small = [name for name in sizes if name.startswith(pack_files.PREFIX)]
    total = sum(sizes[name] for name in small)
    for name, size in sizes.items():
        if name not in small and size <= 2 * total:
            small.append(name)
            total += size
    return small


def is_due(branch: Branch) -> bool:
    """Tell whether a repository has so many files that git finds things slowly."""
    folder = branch.git_folder
    return (
        len(pack_sizes(folder)) > ROLL_UP_ABOVE
        or len(_loose_objects(folder)) > ROLL_UP_ABOVE
        or len(list((folder / "refs/tags").glob("*"))) > ROLL_UP_ABOVE
    )


def maintain(branch: Branch, journal: Journal) -> None:
    """Bring a repository into shape; it waits for whoever is at it.

    Of the refs only tags are packed: they never move. The branch does, and a writer would have to
    wait while git holds it.
    """
    folder = branch.git_folder
    journal.shrink()
    with disk.exclusive(folder / "objects", _WAITS):
        _remove_leftovers(folder)
        _refuse_damage(branch)
        try:
            _tidy(branch)
        except RepositoryDamaged:  # a `git gc` of the operator's may have taken what was just found
            _tidy(branch)


def _refuse_damage(branch: Branch) -> None:
    """Raise RepositoryDamaged where a pack is damaged: git would roll up what it misread as if it were right.

    A commit-graph that is damaged is removed, and is then written anew.
    """
    if checked_git.WITHOUT_GRAPH in CheckedGit(branch.name, branch.git_folder).check():
        folder = branch.git_folder / "objects/info"
        shutil.rmtree(folder / "commit-graphs", ignore_errors=True)
        (folder / "commit-graph").unlink(missing_ok=True)


def _tidy(branch: Branch) -> None:
    loose = _loose_objects(branch.git_folder)  # of git commands of the operator's
    if loose:
        _pack(branch, loose)
        git_command.run(branch.name, branch.git_folder, "prune-packed", "--quiet")
    roll_up(branch)
    write_commit_graph(branch)
    git_command.run(branch.name, branch.git_folder, "pack-refs")


def _loose_objects(git_folder: Path) -> list[str]:
    """Return the ids of the objects in files of their own."""
    found = ("".join(path.parts[-2:]) for path in (git_folder / "objects").glob("[0-9a-f][0-9a-f]/*"))
    return [object_id for object_id in found if _OBJECT_ID.fullmatch(object_id)]


def _pack(branch: Branch, wanted: Sequence[str], *options: str) -> str:
    """Let git put objects, or those of some packs, into one pack, durably; return that pack's id."""
    folder = branch.git_folder / "objects" / "pack"
    command = ("pack-objects", "--quiet", *options, str(folder / "pack"))
    packed = git_command.run(branch.name, branch.git_folder, *command, stdin="\n".join(wanted)).strip()
    disk.sync(folder)
    return packed


def _remove_leftovers(git_folder: Path) -> None:
    """Remove what killed processes left: scratch files, git's locks, and packs without an index."""
    scratch = [path for pattern in (*_SCRATCH, *_LOCKS) for path in git_folder.glob(pattern)]
    packs = (git_folder / "objects/pack").glob("*.pack")
    for path in [*scratch, *(pack for pack in packs if not pack.with_suffix(".idx").exists())]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _STALE_AFTER_SECONDS:
                path.unlink()


class Maintenance:
    """One background thread that looks after the repositories that asked for it, in all stores of a server.

    One at a time, of all processes that share the folder `turns`.
    """

    def __init__(self, turns: Path | None) -> None:
        """Take turns by a lock on a folder, which is made; None: nothing is done in the background."""
        self._turns = turns
        self._due: queue.SimpleQueue[tuple[Branch, Journal]] = queue.SimpleQueue()
        self._queued: set[Path] = set()
        self._state = threading.Lock()
        self._thread: threading.Thread | None = None

    def consider(self, branch: Branch, journal: Journal, packs: int) -> None:
        """Take note that a repository has so many packs now; never blocks."""
        if packs <= ROLL_UP_ABOVE or self._turns is None:
            return
        with self._state:
            if branch.git_folder in self._queued:
                return
            self._queued.add(branch.git_folder)
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it to the parent
                self._thread = threading.Thread(
                    target=self._work, args=(self._turns,), name="maintenance", daemon=True
                )
                self._thread.start()
        self._due.put((branch, journal))

    def _work(self, turns: Path) -> None:
        while True:
            branch, journal = self._due.get()
            try:
                turns.mkdir(exist_ok=True)
                with disk.exclusive(turns, _WAITS):
                    if is_due(branch):  # else another process was quicker
                        maintain(branch, journal)
            except (OSError, RepositoryDamaged) as error:
                _log.warning("%s was not maintained: %s", branch.name, error)
            finally:
                with self._state:
                    self._queued.discard(branch.git_folder)

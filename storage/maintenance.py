"""Keeping the number of packs small. Writers add one a flush; git reads many slowly.

The small packs are rolled into one by git itself, beside readers and writers: every object
stays, reachable or not, so a flush whose ref has not moved yet loses nothing.
"""

import logging
import os
import queue
import subprocess
import threading
from pathlib import Path

from storage import disk

ROLL_UP_ABOVE = 256

_log = logging.getLogger(__name__)


def pack_sizes(git_folder: Path) -> dict[str, int]:
    """Return the size in bytes of each pack, by file name, smallest first."""
    with os.scandir(git_folder / "objects" / "pack") as entries:
        sizes = {entry.name: entry.stat().st_size for entry in entries if entry.name.endswith(".pack")}
    return dict(sorted(sizes.items(), key=lambda item: item[1]))


def roll_up(git_folder: Path) -> int:
    """Roll the small packs into one and return how many there were.

    Small is what is not larger than twice all that is smaller: packs stay in a geometric
    progression, so an object is rewritten only a logarithmic number of times. Durable at
    every moment: the old packs go once the new one is flushed.
    """
    small: list[str] = []
    total = 0
    for name, size in pack_sizes(git_folder).items():
        if len(small) > 1 and size > 2 * total:
            break
        small.append(name)
        total += size
    if len(small) < 2:
        return 0
    folder = git_folder / "objects" / "pack"
    result = subprocess.run(
        ["git", "-c", "core.fsync=all", "pack-objects", "--quiet", "--stdin-packs", str(folder / "pack")],
        cwd=git_folder,
        input="\n".join(small),
        capture_output=True,
        check=True,
        text=True,
    )
    disk.sync_folder(folder)
    for name in set(small) - {f"pack-{result.stdout.strip()}.pack"}:
        pack = folder / name
        pack.with_suffix(".idx").unlink(missing_ok=True)  # git looks here first
        pack.unlink(missing_ok=True)
        pack.with_suffix(".rev").unlink(missing_ok=True)
    return len(small)


class Maintenance:
    """One background thread that rolls up the packs of repositories that asked for it."""

    def __init__(self) -> None:
        self._due: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._queued: set[Path] = set()
        self._state = threading.Lock()
        self._thread: threading.Thread | None = None

    def consider(self, git_folder: Path, packs: int) -> None:
        """Take note that a repository has so many packs now; never blocks."""
        if packs <= ROLL_UP_ABOVE:
            return
        with self._state:
            if git_folder in self._queued:
                return
            self._queued.add(git_folder)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="maintenance", daemon=True)
                self._thread.start()
        self._due.put(git_folder)

    def _work(self) -> None:
        while True:
            git_folder = self._due.get()
            try:
                with disk.exclusive(git_folder / "objects", wait=False):
                    roll_up(git_folder)
            except BlockingIOError:
                pass  # another process is at it
            except (OSError, subprocess.CalledProcessError) as error:
                _log.warning("Packs of %s were not rolled up: %s", git_folder.name, error)
            finally:
                with self._state:
                    self._queued.discard(git_folder)

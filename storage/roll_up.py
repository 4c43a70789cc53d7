"""Rolling the small packs of a repository into one, which git compresses."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from storage.machine import disk, git_command
from storage.plumbing import pack_files
from storage.plumbing.branch import Branch

# The files of one pack. The index is removed first: git finds the others by it.
_PACK_SUFFIXES = (".idx", ".pack", ".rev", ".bitmap", ".mtimes")


def pack_sizes(git_folder: Path) -> dict[str, int]:
    """Return the size in bytes of each pack that git sees, by file name, smallest first.

    A pack without an index is left out: a power loss cut its writing off.
    """
    folder = git_folder / "objects" / "pack"
    sizes = {}
    for name in os.listdir(folder):
        if name.endswith(".idx"):
            pack = (folder / name).with_suffix(".pack")
            with suppress(FileNotFoundError):  # maintenance has just removed it
                sizes[pack.name] = pack.stat().st_size
    return dict(sorted(sizes.items(), key=lambda item: item[1]))


def roll_up(branch: Branch) -> int:
    """Roll the small packs into one, and return how many there were.

    The packs of checkpoints are small, and so is a pack that is at most twice as large as all smaller packs
    together. So packs stay in a geometric progression, and an object is rewritten a logarithmic number of
    times. The old packs are removed when the new one is durable.
    """
    small = find_small(branch.location.folder)
    if len(small) < 2:
        return 0
    folder = branch.location.folder / "objects" / "pack"
    rolled = pack_together(branch, small, "--stdin-packs", "--no-reuse-object")
    _remove_multi_pack_index(folder)
    for name in set(small) - {f"pack-{rolled}.pack"}:  # the same pack, if it had all objects already
        for suffix in _PACK_SUFFIXES:
            (folder / name).with_suffix(suffix).unlink(missing_ok=True)
    return len(small)


def _remove_multi_pack_index(folder: Path) -> None:
    """Remove an index over several packs, some of which are about to be removed.

    An operator's git may have made one. git's own `repack` removes it, too: otherwise git would look for the
    old packs.
    """
    shutil.rmtree(folder / "multi-pack-index.d", ignore_errors=True)  # newer gits make a chain of them
    for path in [folder / "multi-pack-index", *folder.glob("multi-pack-index-*")]:
        path.unlink(missing_ok=True)


def find_small(git_folder: Path) -> list[str]:
    """Return the packs of checkpoints, and the small ones among the others; none that has a `.keep` file."""
    folder = git_folder / "objects" / "pack"
    sizes = {
        name: size for name, size in pack_sizes(git_folder).items() if not (folder / name).with_suffix(".keep").exists()
    }
    small = [name for name in sizes if name.startswith(pack_files.PREFIX)]
    total = sum(sizes[name] for name in small)
    for name, size in sizes.items():
        if name not in small and size <= 2 * total:
            small.append(name)
            total += size
    return small


def pack_together(branch: Branch, wanted: Sequence[str], *options: str) -> str:
    """Have git put objects, or those of some packs, into one pack, durably; return the id of that pack."""
    folder = branch.location.folder / "objects" / "pack"
    command = ("pack-objects", "--quiet", *options, str(folder / "pack"))
    packed = git_command.run(branch.location, *command, stdin="\n".join(wanted)).strip()
    disk.sync(folder)
    return packed

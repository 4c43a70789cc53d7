"""A flush as files: one pack, as a push is, named for the commit that it ends in.

That takes 2 fsyncs whatever it holds (the file, and its name in the folder); loose objects take
about 2 each. Its index, and the branch that moves to its commits, are written for git to see and
not flushed: both follow from the packs (`recovery`).
"""

import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from storage import disk, packs
from storage.packs import GitObject

# Not `pack-`: so that recovery knows a flush from what git packed, and flushed whole.
PREFIX = "flush-"
# A pack of a few flushes. A larger one is maintenance's work, and read object by object.
_READ_WHOLE_BELOW = 64 * 1024


def write(folder: Path, tip: str, objects: Sequence[GitObject]) -> str:
    """Make objects durable and let git see them; return the pack's name, without its ending."""
    name, (pack, index) = f"{PREFIX}{tip}", packs.encode(objects)
    disk.write_file(folder / f"{name}.pack", pack, flush=True)
    disk.sync(folder)
    publish_index(folder, name, index, flush=False)
    return name


def write_alone(folder: Path, item: GitObject) -> None:
    """Make an object that no commit leads to durable, with its index."""
    name, (pack, index) = f"{PREFIX}{item.id.hex()}", packs.encode([item])
    with suppress(FileExistsError):  # then it is there: of the same object, the same pack
        disk.write_file(folder / f"{name}.pack", pack, flush=True)
    publish_index(folder, name, index, flush=True)
    disk.sync(folder)


def take_back(folder: Path, tip: str) -> None:
    """Remove a flush that led to nothing, durably, or what there is of it."""
    for ending in (".idx", ".pack"):
        (folder / f"{PREFIX}{tip}{ending}").unlink(missing_ok=True)
    disk.sync(folder)


def read(folder: Path, name: str) -> list[GitObject]:
    """Return all objects of a pack; none where git had better read it, object by object."""
    with suppress(OSError, ValueError, IndexError, zlib.error):  # gone again, or not one of ours
        content = disk.read_file(folder / f"{name}.pack", _READ_WHOLE_BELOW + 1)
        if len(content) <= _READ_WHOLE_BELOW:
            return packs.decode(content)
    return []


def publish_index(folder: Path, name: str, index: bytes, *, flush: bool) -> None:
    """Let git see a pack: its index appears whole, or not at all."""
    scratch = folder / f"tmp_idx_{os.urandom(8).hex()}"  # `git gc` clears `tmp_*` that a crash leaves
    disk.write_file(scratch, index, flush=flush)
    try:
        scratch.rename(folder / f"{name}.idx")
    except OSError:
        scratch.unlink()
        raise

"""Objects as files: some together in one pack, durable with its index, and seen by git at once."""

import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.machine import disk
from storage.plumbing import packs
from storage.plumbing.object import GitObject
from storage.plumbing.packs import Delta

# Not `pack-`: so that maintenance knows these from what git packed, and compressed.
PREFIX = "flush-"
# A pack of a few commits. A larger one is read object by object.
_READ_WHOLE_BELOW = 64 * 1024


@contextmanager
def write(folder: Path, tip: str, objects: Sequence[GitObject | Delta]) -> Iterator[str]:
    """Put objects into a pack named for the last of them, `tip`, while a ref is made to lead to them.

    Gives that name, without its ending. Until the end git keeps the pack, as it keeps one that is pushed:
    an operator's `git repack` would remove what no ref leads to. What is there already, of a process
    that died here, is written over.
    """
    name = f"{PREFIX}{tip}"
    contents = dict(zip((f"{name}.pack", f"{name}.idx"), packs.encode(objects), strict=True))
    keep = folder / f"{name}.keep"
    keep.touch()
    try:
        try:
            _put(folder, contents)
        except FileNotFoundError:  # `git gc --prune=now` takes what was just begun for a leftover
            _put(folder, contents)
        yield name
    finally:
        with suppress(OSError):  # then maintenance does
            keep.unlink()


def _put(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put files in their places, durably, the last only when all others are."""
    scratch = {file: folder / f"tmp_{os.urandom(8).hex()}" for file in contents}  # as `git gc` clears, too
    try:
        for file, content in contents.items():
            disk.write_file(scratch[file], content, flush=True)
        for file in contents:  # the index last: it is what git looks for
            scratch[file].rename(folder / file)
    except OSError:
        for path in scratch.values():
            path.unlink(missing_ok=True)
        raise
    disk.sync(folder)


def read(folder: Path, name: str) -> list[GitObject]:
    """Return all objects of a pack; none where git had better read it, object by object."""
    with suppress(OSError, ValueError, IndexError, KeyError, zlib.error):  # gone again, or not one of ours
        content = disk.read_file(folder / f"{name}.pack", _READ_WHOLE_BELOW + 1)
        if len(content) <= _READ_WHOLE_BELOW:
            return packs.decode(content)
    return []

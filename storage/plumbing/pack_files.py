"""Packs on disk: some objects in one file, durable with its index, which git sees at once."""

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.machine import disk
from storage.plumbing import packs
from storage.plumbing.object import GitObject
from storage.plumbing.packs import Delta

# Not git's `pack-`, so that maintenance can tell these packs from those that git has compressed.
PREFIX = "flush-"
# bytes: a pack of a few commits. The objects of a larger pack are read one by one.
_READ_WHOLE_BELOW = 64 * 1024


@contextmanager
def write(folder: Path, objects: Sequence[GitObject | Delta]) -> Iterator[str]:
    """Put objects into a pack, named for their ids, while the caller makes a ref that leads to them.

    Yields the pack's name, without its ending. A `.keep` file protects the pack until the end of the block,
    as git protects one that is pushed: an operator's `git repack` would remove objects that no ref leads to.
    Files that a killed process left under the same name, with the same objects, are replaced.
    """
    ids = b"".join([item.id for item in objects])
    name = f"{PREFIX}{hashlib.sha1(ids).hexdigest()}"
    contents = dict(zip((f"{name}.pack", f"{name}.idx"), packs.encode(objects), strict=True))
    keep = folder / f"{name}.keep"
    keep.touch()
    try:
        try:
            _put(folder, contents)
        except FileNotFoundError:  # `git gc --prune=now` removes a scratch file that was just begun
            _put(folder, contents)
        yield name
    finally:
        with suppress(OSError):  # maintenance removes it later
            keep.unlink()


def _put(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, durably, and then rename them in order."""
    scratch = {file: folder / f"tmp_{os.urandom(8).hex()}" for file in contents}  # `git gc` removes such files, too
    try:
        for file, content in contents.items():
            disk.write_file(scratch[file], content, flush=True)
        for file in contents:  # the index last, since git finds a pack by its index
            scratch[file].rename(folder / file)
    except OSError:
        for path in scratch.values():
            path.unlink(missing_ok=True)
        raise
    disk.sync(folder)


def read(folder: Path, name: str) -> list[GitObject]:
    """Return all objects of a small pack of ours; nothing of others, which git reads object by object."""
    with suppress(OSError, ValueError, IndexError, KeyError, zlib.error):  # removed meanwhile, or not ours
        content = disk.read_file(folder / f"{name}.pack", _READ_WHOLE_BELOW + 1)
        if len(content) <= _READ_WHOLE_BELOW:
            return packs.decode(content)
    return []

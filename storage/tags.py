"""Tags: names for commits that stay. Each is a tag object and a ref to it, flushed before it is answered."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from git import Actor

from storage import disk, refs
from storage.commits import Signature, serialize_tag, tagged_commit
from storage.errors import NameTaken, TagExists
from storage.objects import ObjectDatabase

_FOLDER = "refs/tags"
# What may name a file here, leads nowhere else, and git takes too: `v1.lock` is its lock on `v1`.
# What may name a tag is for the caller to narrow.
_NAME = re.compile(r"(?!.*\.(?:\.|lock\Z|\Z))[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag on a commit (40 hex digits). `signature` is None for one that git made without a message."""

    name: str
    commit: str
    signature: Signature | None


def read(git_folder: Path, objects: ObjectDatabase, name: str) -> Tag | None:
    """Return a tag, or None if there is none of that name on a commit."""
    named = refs.read(git_folder, f"{_FOLDER}/{name}") if _NAME.fullmatch(name) else None
    if named is None:
        return None
    on = objects.stream(bytes.fromhex(named))
    if on.type == "commit":
        return Tag(name, named, None)
    if on.type == "tag":
        data = on.read()
        with suppress(ValueError):  # a tag of a tag, or of a file: somebody made it by hand
            return Tag(name, tagged_commit(data), Signature.parse(data))
    return None


def names(git_folder: Path) -> list[str]:
    """Return the names of the tags, sorted."""
    packed = {
        ref.removeprefix(f"{_FOLDER}/") for ref in refs.packed(git_folder) if ref.startswith(f"{_FOLDER}/")
    }
    return sorted(packed.union(_loose(git_folder / _FOLDER)))


def create(
    git_folder: Path, objects: ObjectDatabase, name: str, commit: str, tagger: Actor, message: str
) -> Tag:
    """Put an annotated tag on a commit, durably; TagExists if there is one of that name.

    NameTaken if there is one that differs only in case. The caller holds the repository.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a tag")
    for other in names(git_folder):
        if other == name:
            raise TagExists(objects.name, name)
        if other.lower() == name.lower():  # a clone could not hold both on every disk
            raise NameTaken(name, other)
    data = serialize_tag(name, commit, tagger, int(time.time()), message)
    folder = git_folder / _FOLDER
    folder.mkdir(exist_ok=True)
    with objects.write("tag", data) as tag_id:
        try:
            disk.put_file(folder / name, f"{tag_id.hex()}\n".encode(), git_folder / "tmp_tag")
            disk.sync(folder.parent)
        except OSError:
            (folder / name).unlink(missing_ok=True)
            raise
    return Tag(name, commit, Signature.parse(data))


def _loose(folder: Path) -> Iterator[str]:
    with suppress(FileNotFoundError):
        yield from (entry.name for entry in os.scandir(folder) if entry.is_file())

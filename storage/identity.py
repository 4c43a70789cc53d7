"""The identity of a repository: a random id in its folder, which stays when the folder is moved or renamed.

Clones, bundles and imports do not carry the id, so each copy is a repository of its own.
"""

import re
import secrets
from contextlib import suppress
from pathlib import Path

from storage.errors import RepositoryDamaged
from storage.location import Location
from storage.machine import disk

FILE = "bakehouse-id"
_DIGITS = 32
_IDENTITY = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")


def read(location: Location) -> str | None:
    """Return the identity of a repository; None where it has none yet. RepositoryDamaged where it is no identity."""
    with location.explained():
        try:
            text = disk.read_file(location.folder / FILE, _DIGITS + 1).decode(errors="replace")
        except FileNotFoundError:
            location.folder.stat()
            return None
    if not _IDENTITY.fullmatch(text):
        raise RepositoryDamaged(location.name, f"the file {FILE} in its folder is damaged")
    return text


def ensure(location: Location) -> str:
    """Return the identity of a repository, which it gets now, durably, if it has none."""
    found = read(location)
    if found is None:
        with location.explained():
            _make(location.folder)
        found = read(location)
        if found is None:
            raise RepositoryDamaged(location.name, f"the file {FILE} in its folder vanished")
    return found


def _make(folder: Path) -> None:
    """Give a folder an identity, unless another process does so at the same time."""
    scratch = folder / f"{FILE}.{secrets.token_hex(8)}"
    try:
        disk.write_file(scratch, secrets.token_hex(_DIGITS // 2).encode(), flush=True)
        with suppress(FileExistsError):
            (folder / FILE).hardlink_to(scratch)
    finally:
        scratch.unlink(missing_ok=True)
    disk.sync(folder)

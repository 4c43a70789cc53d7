"""Notes of whom each repo was ever shared with, so that a list need not open the repos that are hidden from its caller.

The grants in `repo.yml` decide. The notes only say where to look, so they may name too many users, and never too
few: a user is noted before the grant, and stays noted when the grant is taken back.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from storage.caches import Cache
from storage.errors import StorageError
from storage.store import Store

Version = tuple[int, int] | None


class _Known(NamedTuple):
    """The notes about an owner's repos, as they were at a version of the notes and of the list of repos."""

    version: Version
    names: Sequence[str]
    of_users: Mapping[str, Sequence[str]]
    unknown: Sequence[str]


_known: Cache[Path, _Known] = Cache(16 * 1024 * 1024)


def note_new(store: Store, owner: str, repo_name: str) -> None:
    """Note that a new repo is shared with nobody. Without that note the first list of a guest opens the repo."""
    with suppress(StorageError):
        store.notes(owner).add([repo_name], flush=False)


def note(store: Store, owner: str, repo_name: str, user_ids: Iterable[str]) -> None:
    """Note, durably, that a repo is shared with these users and with those who are noted already."""
    notes = store.notes(owner)
    lines = [repo_name, *(f"{repo_name} {user_id}" for user_id in user_ids)]
    if not set(lines) <= notes.lines():
        notes.add(lines, flush=True)


def candidates(store: Store, owner: str, names: Sequence[str], user_id: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return those of an owner's repos that may be shared with a user, and those of which nothing is noted.

    The latter are repos of an older version, or copied here by hand. How many repos there are besides takes no
    time, and so cannot be seen from outside.
    """
    notes = store.notes(owner)
    version, known = notes.version(), _known.get(notes.path)
    if known is None or known.version != version or known.names is not names:
        known = _sort(version, names, notes.lines())
        _known.put(notes.path, known, 100 * len(names))
    return known.of_users.get(user_id, ()), known.unknown


def _sort(version: Version, names: Sequence[str], lines: Set[str]) -> _Known:
    of_users: dict[str, list[str]] = {}
    for line in lines:
        name, _, user_id = line.partition(" ")
        of_users.setdefault(user_id, []).append(name)
    return _Known(version, names, of_users, [name for name in names if name not in lines])

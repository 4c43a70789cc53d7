"""Hints at users whom a repo was ever shared with: a list opens no repo that is hidden from its caller.

The grants in `repo.yml` decide, and the hints say where to look. So the hints may name too many users, and never too
few: a hint is added before the grant, and stays when the grant is taken back.
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
    """The hints about an owner's repos, as they were at a version of the hints and of the list of repos."""

    version: Version
    names: Sequence[str]
    of_users: Mapping[str, Sequence[str]]
    unknown: Sequence[str]


_known: Cache[Path, _Known] = Cache(16 * 1024 * 1024)


def add_new(store: Store, owner: str, repo_name: str) -> None:
    """Add the hint that a new repo is shared with nobody. Without it the first list for a guest opens the repo."""
    with suppress(StorageError):
        store.hints(owner).add([repo_name], flush=False)


def add(store: Store, owner: str, repo_name: str, user_ids: Iterable[str]) -> None:
    """Add the hints, durably, that a repo is shared with these users; those at other users stay."""
    hints = store.hints(owner)
    lines = [repo_name, *(f"{repo_name} {user_id}" for user_id in user_ids)]
    if not set(lines) <= hints.lines():
        hints.add(lines, flush=True)


def candidates(store: Store, owner: str, names: Sequence[str], user_id: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return those of an owner's repos that may be shared with a user, and those of which there is no hint.

    The latter are repos of an older version, or copied here by hand. How many repos there are besides takes no
    time, and so cannot be seen from outside.
    """
    hints = store.hints(owner)
    version, known = hints.version(), _known.get(hints.path)
    if known is None or known.version != version or known.names is not names:
        known = _sort(version, names, hints.lines())
        _known.put(hints.path, known, 100 * len(names))
    return known.of_users.get(user_id, ()), known.unknown


def _sort(version: Version, names: Sequence[str], lines: Set[str]) -> _Known:
    of_users: dict[str, list[str]] = {}
    for line in lines:
        name, _, user_id = line.partition(" ")
        of_users.setdefault(user_id, []).append(name)
    return _Known(version, names, of_users, [name for name in names if name not in lines])

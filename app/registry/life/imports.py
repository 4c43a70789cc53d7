"""Making a repo of a bundle, or of a git folder on the server. It is refused whole, with every finding."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.domain.errors import Conflict, ImportRefused
from app.domain.names import refuse_unportable
from app.registry import documents, messages, repos
from app.registry.life import former_names
from app.registry.life.places import Places, exists, now, place_of, title
from app.registry.messages import Origin
from app.registry.users.life_files import IMPORTED, key
from app.registry.verification.findings import Note
from app.registry.verification.repo import of_repo
from storage import imports
from storage.budget import Limits
from storage.clones import BRANCH, Clone
from storage.errors import RepositoryExists, StorageError
from storage.location import Location
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.transaction import Transaction

_TOTAL = 64  # all files of all versions may come to so many times what one request writes


def from_file(places: Places, origin: Origin, owner: str, name: str, source: Path, limits: Limits) -> Repository:
    """Make a repo of a bundle or of a repository at a path, and return it.

    Its history stays as it is. A last commit gives the repo its name, and takes the grants away, which were given on
    another server. Raises ImportRefused with every finding; Conflict or NameTaken where the name is taken.
    """
    place = place_of(owner, name)
    refuse_unportable("repo_name", f"{name}.git")
    if exists(places.repos, place):
        raise _taken(place)
    tips: list[str] = []

    def build(location: Location) -> None:
        findings = imports.fetch(location, source) or list(_check(location, limits))
        if findings:
            raise ImportRefused(findings)
        with Clone(name, location.folder) as clone:
            tips.append(clone.head(BRANCH).commit)
        imports.edit(location, lambda transaction: _take_over(transaction, origin, place), limits)

    def note() -> None:
        document = {"repo": place, "commit": tips[0], "time": now().isoformat(), "user": origin.user_id}

        def change(transaction: Transaction) -> None:
            documents.write(transaction, IMPORTED.path(key(place)), document)
            former_names.drop(transaction, [place])

        places.note(origin, f"Import repo {place}", change)

    try:
        made = places.repos.adopt(place, build, note)
    except RepositoryExists as error:
        raise _taken(place) from error
    with suppress(StorageError):  # maintenance tries again
        made.maintain(always=False)  # puts git's branches where the labels are
    return made


def _taken(place: str) -> Conflict:
    return Conflict(place, f"There is a repo '{place}' already. Choose another name, or delete that one first")


def _take_over(transaction: Transaction, origin: Origin, place: str) -> None:
    title(transaction, place.partition("/")[2])
    document = {field: value for field, value in repos.read(transaction).items() if field != "grants"}
    documents.write(transaction, repos.PATH, document)
    transaction.commit(messages.message(origin, f"Import repo {place}"), origin.author)


def _check(location: Location, limits: Limits) -> Iterator[str]:
    """Yield what is wrong with a repository that was fetched: sizes first, since the rest reads what is there."""
    too_large = list(imports.too_large(location, limits.file, _TOTAL * limits.total))
    yield from too_large
    if too_large:
        return
    count = imports.merges(location)
    if count:
        yield f"{count} commits have several parents, and the history of a repo is one line"
    try:
        with Clone(location.name, location.folder) as clone:
            yield from (f"git fsck: {line}" for line in clone.fsck())
            for tag, borne in clone.misnamed_tags().items():
                yield f"refs/tags/{tag}: it leads to a tag that is called {borne!r}"
            yield from _verify(clone, clone.head(BRANCH))
    except StorageError as error:
        yield str(error)


def _verify(clone: Clone, snapshot: Snapshot) -> Iterator[str]:
    verification = of_repo(clone, snapshot)
    for path in verification.paths():
        yield from (finding for finding in verification.check(path) if not isinstance(finding, Note))

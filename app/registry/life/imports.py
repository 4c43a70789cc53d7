"""Making a repo of a bundle, or of a git folder on the server. It is refused whole, with its findings."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Literal

from app.domain import manifests
from app.domain.errors import Conflict, ImportRefused, NameNotPortable
from app.domain.names import refuse_unportable, tag_name_problem
from app.registry import documents, messages, repos
from app.registry.labels import FOLDER, MOST
from app.registry.life import former_names, unfinished
from app.registry.life.places import Places, exists, now, place_of, refuse_removed, title
from app.registry.messages import Origin
from app.registry.users.life_files import IMPORTED, former_key
from app.registry.verification.findings import Note, reason_of
from app.registry.verification.repo import of_repo
from storage import import_checks, imports
from storage.budget import Limits
from storage.clones import BRANCH, TAGS, Clone
from storage.errors import RepositoryExists, StorageError
from storage.location import Location
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.transaction import Transaction

_TOTAL = 64  # all objects of all versions may come to so many times what one request writes
_MOST_FINDINGS = 1000


def from_file(
    places: Places,
    origin: Origin,
    owner: str,
    name: str,
    source: Path,
    limits: Limits,
    kind: Literal["bundle", "folder"] = "bundle",
) -> Repository:
    """Make a repo of a bundle, or of a repository in a folder, and return it.

    A file that is no bundle is refused, whatever else git would make of it. Its history stays as it is. A last commit
    gives the repo its name, and takes the grants away, which were given on another server. Raises ImportRefused with
    the first 1000 findings; Conflict or NameTaken where the name is taken.
    """
    place = place_of(owner, name)
    refuse_unportable("repo_name", f"{name}.git")
    if exists(places.repos, place):
        raise _taken(place)
    tips: list[str] = []

    def build(location: Location) -> None:
        take = imports.take_folder if kind == "folder" else imports.take_bundle
        findings = take(location, source, tag_name_problem) or list(islice(_check(location, limits), _MOST_FINDINGS))
        if findings:
            raise ImportRefused(findings)
        with Clone(name, location.folder) as clone:
            tips.append(clone.head(BRANCH).commit)
        imports.edit(location, lambda transaction: _take_over(transaction, origin, place), limits)

    def note() -> None:
        document = {"repo": place, "commit": tips[0], "time": now().isoformat(), "user": origin.user_id}

        def change(transaction: Transaction) -> None:
            refuse_removed(transaction, place)
            unfinished.settle(places, transaction, place)
            for other in IMPORTED.names(transaction):  # earlier versions kept the case
                if other.lower() == former_key(place):
                    transaction.remove(IMPORTED.path(other))
            documents.write(transaction, IMPORTED.path(former_key(place)), document)
            former_names.drop(transaction, [place])

        places.note(origin, f"Import repo {place}", change)

    try:
        with imports.one_at_a_time():
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
    """Yield what is wrong with a repository that was taken.

    The checks go from what git tells without unpacking to what reads files. The later ones do not begin where an
    earlier one finds something, since they would do the work that it rules out.
    """
    try:
        for check in (_sizes, _objects, _history, _refs, _content):
            findings = False
            for finding in check(location, limits):
                findings = True
                yield finding
            if findings:
                return
    except StorageError as error:
        yield reason_of(error)


def _sizes(location: Location, limits: Limits) -> Iterator[str]:
    yield from import_checks.sizes(location, limits.file, _TOTAL * limits.total)


def _objects(location: Location, _: Limits) -> Iterator[str]:
    with Clone(location.name, location.folder) as clone:
        yield from (f"git fsck: {line}" for line in clone.fsck())
        yield from import_checks.layout(location, {manifests.FOLDER})


def _history(location: Location, _: Limits) -> Iterator[str]:
    count = import_checks.merges(location)
    if count:
        yield f"{count} commits have several parents, and the history of a repo is one line"
    yield from import_checks.changes(location)


def _refs(location: Location, _: Limits) -> Iterator[str]:
    """Yield the tags and labels that the API would refuse to make."""
    yield from import_checks.tags_aside(location)
    with Clone(location.name, location.folder) as clone:
        tags, labels = clone.refs(TAGS), FOLDER.names(clone.head(BRANCH))
        yield from (f"refs/tags/{tag}: it differs from the tag '{other}' only in case" for tag, other in _alike(tags))
        yield from (f"{FOLDER.path(name)}: it differs from '{other}' only in case" for name, other in _alike(labels))
        for tag, borne in clone.misnamed_tags().items():
            yield f"refs/tags/{tag}: it leads to a tag that is called {borne!r}"
    imports.read_tags(location)
    if len(labels) > MOST:
        yield f"it has {len(labels)} labels, and {MOST} are allowed"
    for label in labels:
        try:
            refuse_unportable("label_name", FOLDER.path(label))
        except NameNotPortable as error:
            yield f"{FOLDER.path(label)}: {error}"


def _alike(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield name, other


def _content(location: Location, _: Limits) -> Iterator[str]:
    with Clone(location.name, location.folder) as clone:
        yield from _verify(clone, clone.head(BRANCH))


def _verify(clone: Clone, snapshot: Snapshot) -> Iterator[str]:
    verification = of_repo(clone, snapshot)
    for path in verification.paths():
        yield from (finding for finding in verification.check(path) if not isinstance(finding, Note))

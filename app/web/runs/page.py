"""What the pages of runs show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import NotFound
from app.domain.manifests import KINDS, Kind
from app.registry.configs.target_files import FOLDER
from app.runs import reading, searching
from app.runs.ledger.runs import Run
from app.runs.reading import Found, NoRun
from app.runs.searching import Filter, Part
from app.schemas.runs import RunListQuerySchema, ShownRowsQuerySchema
from app.web.admission import Place
from app.web.parts import commits
from app.web.parts.commits import Commit
from app.web.parts.runs import Line
from app.web.runs import conversations, downloads, progress
from app.web.runs.conversations import Conversation
from app.web.runs.downloads import File
from app.wire import context, run_lists
from app.wire.query import load_query
from storage.errors import RevisionNotFound
from storage.ids import CommitId

_LIST, _ROWS = RunListQuerySchema(), ShownRowsQuerySchema()


@dataclass(frozen=True, slots=True)
class Listed:
    """Some runs, newest first, and the cursor of the next page."""

    lines: Sequence[Line]
    next: str | None


@dataclass(frozen=True, slots=True)
class Now:
    """The run of a target as it is meant, None where there is none, and what keeps one from starting."""

    kind: Kind
    line: Line | None
    commit: Commit | None
    is_stale: bool
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A run: how far it is, whether it is that of its target as it is now, its stim and its rows.

    `commit` is None where the repo does not have it any more. `query` is what the rows were asked for by.
    """

    run: Run
    line: Line
    told: Mapping[str, Any]
    commit: Commit | None
    is_stale: bool
    is_target_gone: bool
    stim: Run | None
    files: Sequence[File]
    query: Mapping[str, Any]
    part: Part
    conversations: Sequence[Conversation]


def listed(place: Place, target_name: str | None) -> Listed:
    """Return the page of runs that the address asks for."""
    found, following = run_lists.page(place.repository, target_name, load_query(_LIST, is_open=True))
    return Listed([*map(Line.of, found)], following)


def now(place: Place, target_name: str) -> Sequence[Now] | None:
    """Return the stim and the rollout of a target, as it is or as it was; None where there is no such target."""
    try:
        return [_now(place, target_name, kind) for kind in KINDS]
    except NotFound as error:
        if error.kind != "Target":
            raise
        return None


def find(place: Place, target_name: str, key: str) -> Run:
    """Return the run that the address names; NotFound if there is none."""
    run = reading.named(context.services().runs, place.repository, target_name, key)
    if run is None:
        raise NotFound("Run", key)
    return run


def shown(place: Place, run: Run) -> Shown:
    """Return what the page of a run shows."""
    runs, query = context.services().runs, load_query(_ROWS, is_open=True)
    part = searching.read(runs, run, Filter(query["q"], query["rows"]), query["offset"], query["limit"])
    return Shown(
        run,
        Line.of(run),
        progress.told(runs, run),
        _commit(place, run.commit),
        reading.is_stale(runs, place.repository, run),
        not _has_target(place, run.target),
        None if run.stim is None else runs.table.get(run.stim),
        downloads.offered(run),
        query,
        part,
        conversations.of_rows(part.rows),
    )


def row(run: Run, position: int) -> Conversation:
    """Return one row of a run as a conversation; NotFound where it is not there."""
    part = searching.read(context.services().runs, run, Filter(), position, 1)
    if not part.rows:
        raise NotFound("Row", str(position))
    return conversations.of_rows(part.rows, is_whole=True)[0]


def _now(place: Place, target_name: str, kind: Kind) -> Now:
    runs, repository = context.services().runs, place.repository
    try:
        if place.ref is None:
            found = reading.current(runs, repository, target_name, kind)
        else:
            found = reading.at(runs, repository, place.snapshot, target_name, kind)
    except NoRun:
        found = Found(None)
    line = None if found.run is None else Line.of(found.run)
    commit = None if found.run is None else _commit(place, found.run.commit)
    return Now(kind, line, commit, found.is_stale, found.problems)


def _commit(place: Place, commit: str) -> Commit | None:
    commit_id = CommitId(commit)
    try:
        place.repository.position(commit_id)
    except RevisionNotFound:  # an operator put the branch back
        return None
    return commits.read(place.repository, [commit_id])[commit_id]


def _has_target(place: Place, target_name: str) -> bool:
    try:
        FOLDER.expect(place.repository.head(), target_name)
    except NotFound:
        return False
    return True

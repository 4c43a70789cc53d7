"""`/v1/repo/{repo_name}/labels`, and the timeline of a target under a label."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from flask import Blueprint

from app.api import examples, payloads
from app.registry import labels
from app.registry.audit import moves
from app.registry.audit.moves import Move, Period
from app.registry.label_files import Label
from app.registry.labels import LabelRequest, Moved
from app.registry.messages import Origin
from app.schemas.base import InvalidRequest, Mistake
from app.schemas.batches import DeletedSchema
from app.schemas.labels import (
    LabelListSchema,
    LabelMovedSchema,
    LabelPutSchema,
    LabelSchema,
    MoveListSchema,
    MovesQuerySchema,
    TimelineQuerySchema,
    TimelineSchema,
)
from app.schemas.revisions import RefQuerySchema
from app.wire import allowance, context, versions
from app.wire.contract import Answer, accepts, returns
from app.wire.movers import mover
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot

blueprint = Blueprint("labels", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)

T = TypeVar("T")

_MOST_NAMES = 100
_UNREADABLE = "The file was not written by Bakehouse, and cannot be read"


@blueprint.get("/labels")
@accepts(query=RefQuerySchema)
@returns(LabelListSchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def list_labels(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the labels of a repo, each with who moved it last.

    A file that somebody wrote by hand, and that is no label, has a `note`.
    """
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    return {"labels": _payloads(repository, snapshot, labels.get_all(snapshot))}, 200, versions.commit_headers(snapshot)


@blueprint.get("/labels/<label_name>")
@accepts(query=RefQuerySchema, conditions=("If-None-Match",))
@returns(LabelSchema, 200, 304, errors=(404, 409), headers=versions.HEADERS)
def get_label(repo_name: str, label_name: str, query: dict[str, Any]) -> Answer:
    """Read a label. The list of labels, and the history, tell who moved it."""
    snapshot = context.snapshot(repo_name, query)
    label = labels.get(snapshot, label_name)
    headers = versions.headers(label.version, snapshot.commit)
    return _payload(label_name, label), 304 if versions.is_known(label.version) else 200, headers


@blueprint.put("/labels/<label_name>")
@accepts(LabelPutSchema, example=examples.PUT_LABEL, conditions=versions.CONDITIONS)
@returns(LabelMovedSchema, 200, errors=(404, 409, 412), headers=versions.HEADERS | versions.CHANGED_HEADERS)
def put_label(repo_name: str, label_name: str, body: dict[str, Any]) -> Answer:
    """Create a label, or move it to another commit; one commit, none where nothing changes.

    A label can be used as `ref`, and git sees a branch. The answer tells which targets differ at the new commit, and
    warns of names in them that mean nothing there. With `dry_run` nothing is written.
    """
    repository = context.repository(repo_name)
    request = LabelRequest(body["ref"], "protected" in body, body.get("protected"))
    for user_id in request.protected or ():
        context.services().accounts.get(user_id)
    origin, precondition = _origin(body["reason"]), versions.precondition()
    moved = labels.put(repository, origin, mover(), label_name, request, precondition, dry_run=body["dry_run"])
    payload = _payloads(repository, repository.at(moved.commit), {label_name: moved.label})[0]
    payload |= {**_moved(moved), "dry_run": body["dry_run"]}
    if body["dry_run"]:
        return payload, 200, {"Git-Commit": moved.commit}
    return payload, 200, versions.headers(moved.label.version, moved.commit)


@blueprint.delete("/labels/<label_name>")
@accepts(conditions=versions.CONDITIONS)
@returns(DeletedSchema, 200, errors=(404, 412), headers=versions.DELETED_HEADERS)
def delete_label(repo_name: str, label_name: str) -> Answer:
    """Delete a label. Its history stays."""
    repository = context.repository(repo_name)
    commit = labels.delete(repository, context.origin(), mover(), label_name, versions.precondition())
    return {"message": f"Label '{label_name}' deleted"}, 200, {"Git-Commit": commit}


@blueprint.get("/labels/<label_name>/history")
@accepts(query=MovesQuerySchema)
@returns(MoveListSchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def get_label_history(repo_name: str, label_name: str, query: dict[str, Any]) -> Answer:
    """List the moves of a label, newest first.

    A deleted label keeps its history.
    """
    repository, snapshot, before = _page_of(repo_name, query)
    found, has_more = moves.of_label(repository, snapshot, label_name, before=before, limit=query["limit"])

    def show(pair: tuple[Move, Move | None]) -> dict[str, Any]:
        move, earlier = pair
        return {
            **_commit(repository, move.commit),
            "from_": earlier and earlier.to,
            "to": move.to,
            "protected": move.label and move.label.protected,
            **({} if move.is_readable else {"note": _UNREADABLE}),
        }

    shown = _fitting(found, show)
    has_more |= len(shown) < len(found)
    following = found[len(shown) - 1][0].commit if has_more else None
    return {"moves": shown, "next": following}, 200, versions.commit_headers(snapshot)


@blueprint.get("/targets/<item:target_name>/timeline")
@accepts(query=TimelineQuerySchema)
@returns(TimelineSchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def get_timeline(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Tell which version of a target was live under a label, from when to when, and by whose move."""
    repository, snapshot, before = _page_of(repo_name, query)
    label, limit = query["label"], query["limit"]
    found, has_more = moves.timeline(repository, snapshot, target_name, label, before=before, limit=limit)

    def show(period: Period) -> dict[str, Any]:
        return _period(repository, period)

    shown = _fitting(found, show)
    has_more |= len(shown) < len(found)
    following = found[len(shown) - 1].began if has_more else None
    payload = {"target_name": target_name, "label": label or "main", "periods": shown, "next": following}
    return payload, 200, versions.commit_headers(snapshot)


def _origin(reason: str | None) -> Origin:
    """Return the author of a move, with the reason of the body or of the header; InvalidRequest where they differ."""
    origin = context.origin()
    if reason is not None and origin.reason not in (None, reason):
        mistake = Mistake("value_error", "This is another reason than that of the header X-Change-Reason: send one")
        raise InvalidRequest([(("body", "reason"), mistake)])
    return replace(origin, reason=reason or origin.reason)


def _page_of(repo_name: str, query: dict[str, Any]) -> tuple[Repository, Snapshot, CommitId | None]:
    repository = context.repository(repo_name)
    before = None if query["before"] is None else repository.find(query["before"])
    return repository, context.snapshot(repo_name, query), before


def _fitting(found: Sequence[T], show: Callable[[T], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first parts of a page, as many as there is room for."""
    space, shown = allowance.room(), []
    for part in found:
        payload = show(part)
        if not space.fits(payload):
            break
        shown.append(payload)
    return shown


def _payload(name: str, label: Label | None) -> dict[str, Any]:
    if label is None:
        return {"name": name, "commit": None, "protected": None, "note": _UNREADABLE}
    return {"name": name, "commit": label.commit, "protected": label.protected}


def _payloads(repository: Repository, snapshot: Snapshot, found: Mapping[str, Label | None]) -> list[dict[str, Any]]:
    moved = labels.moved_last(repository, snapshot, [*found])
    return [
        {**_payload(name, label), "moved": _commit(repository, moved[name]) if name in moved else None}
        for name, label in found.items()
    ]


def _moved(moved: Moved) -> dict[str, Any]:
    names = sorted(name for changed in moved.changes.values() for name in changed)
    counts = {action: len(changed) for action, changed in moved.changes.items()}
    return {
        "from_": moved.before,
        "targets": {**counts, "names": names[:_MOST_NAMES]},
        **payloads.warned(moved.warnings),
    }


def _period(repository: Repository, period: Period) -> dict[str, Any]:
    moved_by = _commit(repository, period.began)
    return {
        "version": period.version,
        "commit": period.commit,
        "from_": moved_by["time"],
        "to": period.ended and payloads.time(repository.signature(period.ended)),
        "moves": period.moves,
        "moved_by": moved_by,
        **({"may_be_older": True} if period.may_be_older else {}),
    }


def _commit(repository: Repository, commit: CommitId) -> dict[str, Any]:
    return payloads.commit(commit, repository.signature(commit))

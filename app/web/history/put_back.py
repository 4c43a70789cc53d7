"""Putting a target, a prompt or the default back: what that would change, and who is affected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField

from app.domain.errors import NotFound
from app.domain.preconditions import ANY, Precondition
from app.registry import revisions
from app.registry.configs import references, reverts, things, usage
from app.registry.configs.things import Thing
from app.schemas.base import load
from app.schemas.diffs import RevertSchema
from app.web import admission
from app.web.admission import Place
from app.web.history import single
from app.web.history.single import Rows
from app.web.parts.commits import Commit
from app.wire import allowance
from storage.ids import CommitId
from storage.snapshot import Snapshot

_MOST_NAMES = 50
NOTHING = "none"  # the version of a thing that is not there


class PutBackForm(FlaskForm):
    """Why a thing is put back, the commit it is put back to, and the version that the person has seen."""

    reason = StringField("Why")
    to = HiddenField()
    version = HiddenField()


@dataclass(frozen=True, slots=True)
class Preview:
    """What putting back would do. `now` is the version that is there, `NOTHING` where there is none.

    `users` are the first targets that name the thing or were made from it, `count` how many there are, and `below` how
    many were made from those. They keep their values.
    `warnings` tell which names of the old version mean nothing today.
    """

    thing: Thing
    then: Commit
    written: Commit | None
    now: str
    rows: Rows
    users: Sequence[str]
    count: int
    below: int
    warnings: Sequence[str]


def read(place: Place, thing: Thing, to: str) -> Preview:
    """Return what putting a thing back would do; NotFound where there was none at `to`."""
    then, now = _at(place, to), place.repository.head()
    work = allowance.work()
    for snapshot in (now, then):
        work.expect("The preview", single.size(snapshot, thing))
    old, current = thing.read(then), thing.read(now)
    if old is None:
        raise NotFound(thing.folder.kind, thing.name, then.commit)
    names, below = _users(now, thing)
    return Preview(
        thing,
        Commit.of(then.commit, place.repository.signature(then.commit)),
        _written(place, now, thing),
        current.version if current else NOTHING,
        single.rows(single.content(now, current) or {}, single.content(then, old) or {}),
        names[:_MOST_NAMES],
        len(names),
        below,
        [*references.dangling(now, old.fields)],
    )


def meanwhile(place: Place, thing: Thing, seen: str) -> Rows | None:
    """Return what others changed since the version that a person has seen; None where git does not have it."""
    head = place.repository.head()
    versions = place.repository.versions(thing.path, head.commit)
    commit = next((found.commit for found in versions if found.blob == seen), None)
    if commit is None and seen != NOTHING:
        return None
    then = None if commit is None else place.repository.at(commit)
    old = None if then is None else single.content(then, thing.read(then))
    return single.rows(old or {}, single.content(head, thing.read(head)) or {})


def put_back(place: Place, thing: Thing, form: PutBackForm) -> CommitId:
    """Put a thing back, and return the commit; PreconditionFailed where somebody changed it meanwhile."""
    ref = load(RevertSchema(), {"to": form.to.data or ""}, ("body",))["to"]
    origin, seen = admission.origin(form.reason.data), form.version.data or NOTHING
    wanted = Precondition(none_match=frozenset({ANY})) if seen == NOTHING else Precondition(match=frozenset({seen}))
    return reverts.revert(place.repository, origin, thing, ref, wanted).commit


def _at(place: Place, to: str) -> Snapshot:
    ref: str | datetime = load(RevertSchema(), {"to": to}, ("query",))["to"]
    return revisions.at(place.repository, ref)


def _users(now: Snapshot, thing: Thing) -> tuple[Sequence[str], int]:
    """Return the targets that were made from a thing, or whose config names it; and how many were made from those."""
    if thing.path == things.prompt(thing.name).path:
        return usage.users_of_prompt(now, thing.name), 0
    found = usage.descendants(now, thing.name, skips_damaged=True)
    names = [name for name, depth in found if depth == 1]
    return names, len(found) - len(names)


def _written(place: Place, now: Snapshot, thing: Thing) -> Commit | None:
    """Return the commit that changed the file of a thing last; None where nobody has."""
    versions = place.repository.versions(thing.path, now.commit)
    return Commit.of(versions[0].commit, place.repository.signature(versions[0].commit)) if versions else None

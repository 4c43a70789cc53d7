"""The parts of answers that several resources share: commits, differences, and explanations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from app.domain.budgets import Room, Work
from app.domain.cutting import shown
from app.domain.differences import MISSING, Difference, operations
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.tokens import Token
from app.registry.audit.file_changes import ChangedFile, action
from app.registry.audit.layers import Layer
from app.registry.audit.lineage import Explanation, Field, Page
from app.registry.configs import things
from app.registry.configs.things import Thing
from app.wire import allowance
from app.wire.context import services
from storage import moments
from storage.ids import CommitId
from storage.repository import Repository
from storage.signatures import Person, Signature

_MOST_USERS = 100


def time(signature: Signature) -> str:
    """Return when a commit or tag was made, in the format of RFC 3339: as `ref`, it shows that commit."""
    return instant(signature.moment)


def instant(moment: int) -> str:
    """Return a moment in the format of RFC 3339."""
    return moments.at(moment).isoformat().replace("+00:00", "Z")


def person(signature: Signature | Person) -> dict[str, str | None]:
    """Return who made a commit or tag, or started a run."""
    return {
        "name": signature.name,
        "email": signature.email,
        "user": signature.user,
        "token": signature.token,
    }


def commit(commit_id: CommitId, signature: Signature) -> dict[str, Any]:
    """Return what answers tell about a commit."""
    return {
        "commit": commit_id,
        "author": person(signature),
        "time": time(signature),
        "subject": signature.subject,
        "reason": signature.reason,
    }


def token(found: Token) -> dict[str, Any]:
    """Return a token, without its secret."""
    return {
        "name": found.name,
        "access": str(found.access),
        "repos": None if found.repos is None else list(found.repos),
        "created_at": found.created.isoformat(),
        "expires_at": None if found.expires is None else found.expires.isoformat(),
        "made_with": found.made_with,
    }


def new_token(made: Token, secret: str) -> dict[str, Any]:
    """Return a token with its secret, which is shown this once."""
    return {**token(made), "api_key": secret}


def named(thing: Thing) -> dict[str, str]:
    """Return the field with the name of a target or prompt; the default has none."""
    return {} if thing is things.DEFAULT else {f"{thing.folder.kind.lower()}_name": thing.name}


def commits(repository: Repository, ids: Iterable[CommitId]) -> dict[CommitId, dict[str, Any]]:
    """Return what answers tell about some commits, each once, by id."""
    return {commit_id: commit(commit_id, repository.signature(commit_id)) for commit_id in dict.fromkeys(ids)}


def explanation_page(query: Mapping[str, Any]) -> Page:
    """Return what a page of an explanation may come to; half of the work is for its layers."""
    most = services().settings.max_parsed // 2
    return Page(allowance.room(), Work(most), query["offset"], query["full"])


def changed_file(file: ChangedFile, space: Room, *, full: bool) -> dict[str, Any]:
    """Return what happened to a file, its new version, and its changed fields."""
    done = {"action": action(file.old, file.new), "version": file.new}
    if file.differences is None:
        return {**done, "changes": None, "note": file.note}
    return {**done, **changes(file.differences, space, full=full)}


def changes(differences: Sequence[Difference], space: Room, *, full: bool) -> dict[str, Any]:
    """Return the fields that differ, without values that are missing; and how many more there are no room for."""
    found: list[dict[str, Any]] = []
    for difference in differences:
        change = {
            "field": difference.field,
            **({} if difference.old is MISSING else shown("old", difference.old, full=full)),
            **({} if difference.new is MISSING else shown("new", difference.new, full=full)),
        }
        if not (full or space.fits(change)):
            break
        found.append(change)
    more = len(differences) - len(found)
    return {"changes": found, **({"more": more} if more else {})}


def comparison(differences: Sequence[Difference], space: Room, *, full: bool) -> dict[str, Any]:
    """Return the fields that differ, also as a JSON Patch; null where there is no room for the whole patch."""
    patch = operations(differences)
    fits = full or all(map(space.fits, patch))
    return {"operations": patch if fits else None, **changes(differences, space, full=full)}


def warned(warnings: Sequence[str]) -> dict[str, Any]:
    """Return the field for warnings, which an answer without warnings lacks."""
    return {"warnings": list(warnings)} if warnings else {}


def deleted(what: str, used_by: Sequence[str]) -> dict[str, Any]:
    """Return the answer to a deletion: what was deleted, the first that use it still, and how many there are."""
    return {"message": f"{what} deleted", **some("used_by", used_by)}


def some(field: str, names: Collection[str]) -> dict[str, Any]:
    """Return the first of some names of targets, sorted after `default`, and a field that says how many there are."""
    ordered = sorted(names, key=lambda name: (name != DEFAULT_TEMPLATE, name))
    return {field: ordered[:_MOST_USERS], f"{field}_count": len(ordered)}


def explanation(repository: Repository, found: Explanation, *, full: bool) -> dict[str, Any]:
    """Return the layers of a config, which of them set each field, and the commits that are named."""
    following = found.next
    named = [*(commit for _, commit in found.layers), *(field.commit for field in (*found.fields, *found.removed))]
    return {
        "layers": [{**_layer(layer), "commit": commit} for layer, commit in found.layers],
        "fields_": [_field(field, full=full) for field in found.fields],
        "removed": [_field(field, full=full) for field in found.removed],
        "commits": commits(repository, filter(None, named)),
        "next": following
        and {"target_name": following.target_name, "ref": following.commit, "offset": following.offset},
    }


def _field(field: Field, *, full: bool) -> dict[str, Any]:
    return {
        "field": field.pointer,
        **shown("value", field.value, full=full),
        **_layer(field.set_by),
        "commit": field.commit,
        **({"may_be_older": True} if field.may_be_older else {}),
        "beaten": [{**_layer(beaten.layer), **shown("value", beaten.value, full=full)} for beaten in field.beaten],
    }


def _layer(layer: Layer) -> dict[str, Any]:
    is_written = bool(layer.version)
    return {
        "layer": layer.kind,
        "name": layer.name if is_written else None,
        "version": layer.version if is_written else None,
    }

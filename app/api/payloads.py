"""The parts of answers that several resources share: commits, differences, and explanations."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.domain.budgets import Room, Work
from app.domain.cutting import shown
from app.domain.differences import MISSING, Difference, operations
from app.registry.lineage import Explanation, Field, Layer
from app.wire.context import services
from storage.ids import CommitId
from storage.repository import Repository
from storage.signatures import Signature

_LAST = 253_402_300_799  # the end of year 9999; a commit made by hand may have a later time


def time(seconds: int) -> str:
    """Return a time, in seconds since 1970, in the format of RFC 3339."""
    return datetime.fromtimestamp(min(seconds, _LAST), UTC).isoformat().replace("+00:00", "Z")


def person(signature: Signature) -> dict[str, str]:
    """Return who made a commit or tag."""
    return {"name": signature.name, "email": signature.email}


def work() -> Work:
    """Return what this answer may parse."""
    return Work(services().settings.max_parsed)


def room() -> Room:
    """Return the room of this answer."""
    return Room(services().settings.max_page)


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


def explanation(repository: Repository, found: Explanation) -> dict[str, Any]:
    """Return the layers of a config, and who set each field."""
    layers = [{**_layer(layer), **_written(repository, commit)} for layer, commit in found.layers]
    return {
        "layers": layers,
        "fields_": _fields(repository, found.fields),
        "removed": _fields(repository, found.removed),
    }


def _fields(repository: Repository, fields: Sequence[Field]) -> list[dict[str, Any]]:
    return [
        {
            "field": field.pointer,
            "value": field.value,
            **_layer(field.set_by),
            **_written(repository, field.commit),
            "beaten": [{**_layer(beaten.layer), "value": beaten.value} for beaten in field.beaten],
        }
        for field in fields
    ]


def _layer(layer: Layer) -> dict[str, Any]:
    is_written = bool(layer.version)
    return {
        "layer": layer.kind,
        "name": layer.name if is_written else None,
        "version": layer.version if is_written else None,
    }


def _written(repository: Repository, commit: CommitId | None) -> dict[str, Any]:
    """Return who made a commit, and when; nulls if there is none."""
    if commit is None:
        return {"commit": None, "author": None, "time": None}
    signature = repository.signature(commit)
    return {"commit": commit, "author": person(signature), "time": time(signature.time)}

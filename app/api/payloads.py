"""The parts of answers that several resources share: commits, differences, and explanations."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.domain.differences import MISSING, Difference, operations
from app.registry.lineage import Explanation, Field, Layer
from storage.ids import CommitId
from storage.repository import Repository
from storage.signatures import Signature

_MOST_USERS = 100
_LAST = 253_402_300_799  # the end of year 9999; a commit made by hand may have a later time


def time(seconds: int) -> str:
    """Return a time, in seconds since 1970, in the format of RFC 3339."""
    return datetime.fromtimestamp(min(seconds, _LAST), UTC).isoformat().replace("+00:00", "Z")


def person(signature: Signature) -> dict[str, str]:
    """Return who made a commit or tag."""
    return {"name": signature.name, "email": signature.email}


def changes(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return the fields that differ, without values that are missing."""
    return [
        {
            "field": difference.field,
            **({} if difference.old is MISSING else {"old": difference.old}),
            **({} if difference.new is MISSING else {"new": difference.new}),
        }
        for difference in differences
    ]


def comparison(differences: Sequence[Difference]) -> dict[str, Any]:
    """Return the fields that differ, also as a JSON Patch."""
    return {"operations": operations(differences), "changes": changes(differences)}


def warned(warnings: Sequence[str]) -> dict[str, Any]:
    """Return the field for warnings, which an answer without warnings lacks."""
    return {"warnings": list(warnings)} if warnings else {}


def deleted(what: str, used_by: Sequence[str]) -> dict[str, Any]:
    """Return the answer to a deletion: what was deleted, the first that use it still, and how many there are."""
    return {"message": f"{what} deleted", "used_by": used_by[:_MOST_USERS], "used_by_count": len(used_by)}


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

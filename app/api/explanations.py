"""Explanations over HTTP: the layers of a config, and where each field came from."""

from collections.abc import Sequence
from typing import Any

from app.api import commits
from app.registry.lineage import Explanation, Field, Layer
from storage.repository import Repository


def payload(repository: Repository, explanation: Explanation) -> dict[str, Any]:
    """Return what a request for an explanation is answered with."""
    layers = [{**_layer(layer), **_written(repository, commit)} for layer, commit in explanation.layers]
    return {
        "layers": layers,
        "fields_": _fields(repository, explanation.fields),
        "removed": _fields(repository, explanation.removed),
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


def _written(repository: Repository, commit: str | None) -> dict[str, Any]:
    """Return who wrote something, where it is written."""
    if commit is None:
        return {"commit": None, "author": None, "time": None}
    signature = repository.commit(commit)
    return {"commit": commit, "author": commits.person(signature), "time": commits.time(signature.time)}

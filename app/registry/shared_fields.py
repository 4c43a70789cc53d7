"""The YAML of large fields that targets share with their template: written once for all that name the template."""

from collections.abc import Mapping
from typing import Any

from app.domain.canonical_yaml import dump
from storage.caches import Cache, weigh

_START = b"config:\n"
_LARGE = 4096  # bytes

# The lines of a field, by its name and the identity of its value. The entry has the value, so the identity stays its
# own. Values are a template's, which nobody changes: they are parsed documents.
_kept: Cache[tuple[str, int], tuple[Any, bytes]] = Cache(16 * 1024 * 1024)


def known(document: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the lines of the fields in the document's config that were written lately, by name."""
    found = {}
    for name, value in document.get("config", {}).items():
        if value and isinstance(value, dict | list):
            kept = _kept.get((name, id(value)))
            if kept is not None:
                found[name] = kept[1]
    return found


def without(document: Mapping[str, Any], fields: Mapping[str, bytes]) -> Mapping[str, Any]:
    """Return a document without some fields of its config."""
    config = {name: value for name, value in document["config"].items() if name not in fields}
    return {**document, "config": config}


def join(document: Mapping[str, Any], fields: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a document that ends with a config, given the lines of some fields; keep those of others."""
    *others, last = document
    if last != "config" or not document["config"]:
        return dump(document)
    parts = [dump({name: document[name] for name in others}) if others else b"", _START]
    for name, value in document["config"].items():
        parts.append(fields.get(name) or _write(name, value, is_shared=name not in document.get("overrides", ())))
    return b"".join(parts)


def _write(name: str, value: Any, *, is_shared: bool) -> bytes:
    lines = dump({"config": {name: value}}).removeprefix(_START)
    if len(lines) > _LARGE and is_shared:
        _kept.put((name, id(value)), (value, lines), len(lines) + weigh(value))
    return lines

"""JSON Patch, applied as RFC 6902 says."""

import copy
from typing import Any


def apply(value: Any, patch: list[dict[str, Any]]) -> Any:
    """Return a value with a JSON Patch applied (RFC 6902)."""
    whole = {"": copy.deepcopy(value)}
    for operation in patch:
        name, container = "", whole
        for token in operation["path"].split("/")[1:]:
            container = container[name]
            name = token.replace("~1", "/").replace("~0", "~")
            if isinstance(container, list):
                name = int(name)
                assert 0 <= name < len(container) + (operation["op"] == "add")
        if operation["op"] == "add" and isinstance(container, list):
            container.insert(name, operation["value"])
        elif operation["op"] == "remove":
            del container[name]
        else:
            assert operation["op"] == "add" or name in container or isinstance(container, list)
            container[name] = operation["value"]
    return whole[""]


def apply_changes(value: Any, changes: list[dict[str, Any]]) -> Any:
    """Return a value with the `changes` of an answer applied: fields with their old and new values."""
    return _changed(value, [([*map(_unescape, change["field"].split("/")[1:])], change) for change in changes])


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


_Keyed = list[tuple[list[str], dict[str, Any]]]


def _changed(value: Any, changes: _Keyed) -> Any:
    if not changes:
        return value
    keys, change = changes[0]
    if not keys:
        assert value == change["old"]
        return copy.deepcopy(change["new"])
    return _changed_list(value, changes) if isinstance(value, list) else _changed_object(value, changes)


def _changed_object(value: dict[str, Any], changes: _Keyed) -> dict[str, Any]:
    changed = dict(value)
    for name in {keys[0]: None for keys, _ in changes}:
        within = [(keys[1:], change) for keys, change in changes if keys[0] == name]
        keys, change = within[0]
        if keys:
            changed[name] = _changed(changed[name], within)
            continue
        assert ("old" in change) == (name in changed)
        assert changed.pop(name, None) == change.get("old")
        if "new" in change:
            changed[name] = copy.deepcopy(change["new"])
    return changed


def _changed_list(value: list[Any], changes: _Keyed) -> list[Any]:
    """Apply changes to a list: what was removed has the old position, all else the new one."""
    removed = {int(keys[0]) for keys, change in changes if len(keys) == 1 and "new" not in change}
    added = {int(keys[0]): change for keys, change in changes if len(keys) == 1 and "old" not in change}
    kept = [number for number in range(len(value)) if number not in removed]
    changed = []
    while kept or len(changed) in added:
        at = len(changed)
        if at in added:
            changed.append(copy.deepcopy(added[at]["new"]))
            continue
        was = kept.pop(0)
        within = [
            (keys[1:], change)
            for keys, change in changes
            if (len(keys) > 1 or ("new" in change and "old" in change))
            and int(keys[0]) == (at if "new" in change else was)
        ]
        changed.append(_changed(value[was], within))
    return changed

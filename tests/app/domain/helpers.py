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

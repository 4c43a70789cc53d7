"""What JSON Schema cannot say: it takes 1.0 for an integer, and the contract does not."""

from typing import Any

import schemathesis


def _without_whole_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_whole_floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_whole_floats(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """Write each whole number as one."""
    return _without_whole_floats(body)

"""What JSON Schema cannot say: it takes 1.0 for an integer, and the contract does not; and what HTTP can send."""

from typing import Any
from urllib.parse import urlencode

import schemathesis

_LONGEST = 3500  # bytes of a query; the server takes addresses of 4094 bytes, see tests/e2e/test_protocol.py


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


@schemathesis.hook
def map_headers(_: schemathesis.HookContext, headers: dict[str, Any] | None) -> dict[str, Any] | None:
    """Encode nothing in a reason: what a percent-encoding stands for must be text, too. No header starts with space."""
    if headers and isinstance(headers.get("X-Change-Reason"), str):
        headers["X-Change-Reason"] = headers["X-Change-Reason"].replace("%", "")
    return headers and {name: value.lstrip() if isinstance(value, str) else value for name, value in headers.items()}


@schemathesis.hook
def filter_query(_: schemathesis.HookContext, query: dict[str, Any] | None) -> bool:
    """Send no address that is longer than the server takes."""
    return len(urlencode(query or {}, doseq=True)) <= _LONGEST


@schemathesis.serializer("application/x-git-bundle")
def serialize_bundle(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send some bytes as they are. No generated ones are a bundle."""
    return value if isinstance(value, bytes) else str(value).encode()

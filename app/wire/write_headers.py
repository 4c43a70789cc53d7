"""The headers of a write that are checked before the request is read any further."""

from flask import request

from app.wire.context import InvalidHeader, reason

_CONDITIONS = ("If-Match", "If-None-Match", "If-Unmodified-Since")


def check(heeded: tuple[str, ...]) -> None:
    """Raise InvalidHeader for a condition that the view does not heed, or a reason that cannot be used."""
    for header in _CONDITIONS:
        if header in request.headers and header not in heeded:
            takes = f"it takes {' and '.join(heeded)}" if heeded else "it takes no condition"
            raise InvalidHeader(f"The header {header} means nothing for this request, which was refused: {takes}.")
    reason()

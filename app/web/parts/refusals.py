"""Changes by forms that are refused: the form is shown again as it was sent, with the reason."""

from collections.abc import Callable
from typing import TypeVar

from flask_wtf import FlaskForm

from app.domain.errors import Conflict, NameNotPortable, NotFound, NotPermitted
from app.wire.context import InvalidHeader
from storage.errors import NameTaken

T = TypeVar("T")

_STATUSES: dict[type[Exception], int] = {
    NotPermitted: 403,
    NotFound: 404,
    Conflict: 409,
    NameTaken: 409,
    NameNotPortable: 422,
    InvalidHeader: 422,  # the reason, which the form has in the place of the header
}


def attempt(form: FlaskForm, change: Callable[[], T]) -> tuple[T | None, int]:
    """Return what a change returns, and 200; None and a status where it is refused, with the reason at the form.

    Forbidden is raised: such a change is not offered, so no form may be there to show the reason.
    """
    try:
        return change(), 200
    except tuple(_STATUSES) as error:
        form.form_errors.append(str(error).rstrip("."))
        return None, next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)

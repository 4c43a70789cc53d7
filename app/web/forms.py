"""Forms: their rules are the schemas of the API, and the schemas' messages stand at the fields of the form."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from marshmallow import Schema

from app.domain import reasons
from app.schemas.base import InvalidRequest, Location, Mistake, load
from app.schemas.fields import new_names_up_to
from app.wire.context import InvalidHeader, services


class GetForm(FlaskForm):
    """A form that is sent by GET. It changes nothing, so it needs no token, and may come from anywhere, as a link."""

    class Meta:
        """What Flask-WTF reads."""

        csrf = False


def loaded(schema: Schema, data: Any, form: FlaskForm) -> Any:
    """Return data as a schema loads it; None where it has mistakes, which are put at the fields of the form."""
    try:
        with new_names_up_to(services().settings.max_name):
            return load(schema, data, ())
    except InvalidRequest as error:
        put(error.told, form)
        return None


def put(mistakes: Iterable[tuple[Location, Mistake]], form: FlaskForm) -> None:
    """Put mistakes at the fields of a form that their places name, and the others at the form as a whole."""
    for location, mistake in mistakes:
        is_of_request = len(location) > 1 and location[0] in ("body", "query", "path")
        names = [str(part) for part in (location[1:] if is_of_request else location)]
        field = next((form[name] for name in names if name in form), None)
        if field is None:
            place = ".".join(names)
            form.form_errors.append(f"{place}: {mistake.message}" if place else mistake.message)
        else:
            field.errors = [*field.errors, mistake.message]


def reason(text: str | None) -> str | None:
    """Return the reason that a form gives for a change, or None; InvalidHeader where it may not be one."""
    try:
        return reasons.checked(text or "")
    except ValueError as error:
        raise InvalidHeader(f"The reason {error}.") from error

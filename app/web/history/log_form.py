"""The form that filters the log of a repo. It is sent by GET, so the address of a page tells what it shows."""

import re
from typing import Any

from flask import request
from wtforms import StringField

from app.schemas.base import load
from app.schemas.history import LogQuerySchema, PageQuerySchema
from app.web import forms
from app.web.forms import GetForm

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
PAGE_SIZE = "20"


class LogForm(GetForm):
    """Which commits to show."""

    author = StringField("Who")
    reason = StringField("Reason contains")
    path = StringField("Path")
    field = StringField("Field")
    since = StringField("From day")
    until = StringField("To day")

    def kind_of(self, field: StringField) -> str:
        """Return the type of the input for a day; a text where the address has a time, which would be lost."""
        return "text" if field.data and not _DAY.fullmatch(field.data) else "date"

    @property
    def is_used(self) -> bool:
        """Tell whether any filter is set."""
        return bool(self.address)

    @property
    def address(self) -> dict[str, str]:
        """The filters as an address has them, without the commit that the page is about."""
        return {field.name: field.data for field in self if field.data}


def read() -> tuple[LogForm, dict[str, Any] | None]:
    """Return the form as the address fills it, and its query; None where the form has mistakes, which it tells."""
    form = LogForm(request.args)
    given = {name: value.strip() for name, value in request.args.items() if value.strip() and name in form}
    for name, end in (("since", "T00:00:00Z"), ("until", "T23:59:59Z")):
        if _DAY.fullmatch(given.get(name, "")):
            given[name] += end
    return form, forms.loaded(LogQuerySchema(), {**given, **_page()}, form)


def read_page() -> dict[str, Any]:
    """Return the query of a page of a history, which has no filters."""
    query: dict[str, Any] = load(PageQuerySchema(), _page(), ("query",))
    return query


def _page() -> dict[str, str]:
    return {"limit": PAGE_SIZE} | ({"before": request.args["before"]} if request.args.get("before") else {})

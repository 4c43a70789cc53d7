"""What the address of a repo's page asks of the table: filters, columns, order, and page."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from app.domain.field_paths import FieldPath
from app.domain.ordering import Order
from app.registry.configs.target_lists import NameFilter
from app.registry.configs.target_tables import Wanted
from app.schemas.lists import TargetTableQuerySchema
from app.web import forms
from app.web.forms import GetForm

FIRST_COLUMNS = "model_name,temperature,max_tokens"  # until somebody chooses
_FILTERS = ("q", "template", "descends_from", "where")
_SCHEMA = TargetTableQuerySchema()


class FilterForm(GetForm):
    """Which targets the table has, and which fields of each."""

    q = StringField("Name contains")
    template = StringField("Template")
    descends_from = StringField("Descends from")
    where = StringField("Where")
    fields = StringField("Other fields")


@dataclass(frozen=True, slots=True)
class Query:
    """What an address asks for. `texts` are its parameters as they were given, without the page."""

    wanted: Wanted
    columns: tuple[FieldPath, ...]
    page: int
    texts: dict[str, str]

    @property
    def is_filtered(self) -> bool:
        """Tell whether the table may lack some targets."""
        return any(name in self.texts for name in (*_FILTERS, "after"))

    def address(self, endpoint: str, **changes: Any) -> str:
        """Return an address that asks for the same, but for some changes; None leaves a parameter out."""
        names = {name: (request.view_args or {})[name] for name in ("owner", "repo_name")}
        return url_for(endpoint, **names, **{"ref": request.args.get("ref") or None, **self.texts, **changes})

    def page_address(self, number: int) -> str:
        """Return the address of a page of the same table."""
        return self.address("web.repo.show", page=None if number == 1 else number)


def read() -> tuple[FilterForm, Query | None]:
    """Return the form with what the address asks for; None beside it where that has mistakes, which the form tells."""
    texts = {name: request.args.get(name, "").strip() for name in (*_FILTERS, "sort", "after", "page")}
    given = {name: text for name, text in texts.items() if text}
    has_columns = "fields" in request.args
    columns = ",".join(filter(None, request.args.getlist("fields"))) if has_columns else FIRST_COLUMNS
    form = FilterForm(formdata=MultiDict({**given, "fields": columns}))
    found = forms.loaded(_SCHEMA, {**given, **({"fields": columns} if columns else {})}, form)
    if found is None:
        return form, None
    names = NameFilter(found["q"], found["template"], found["descends_from"])
    wanted = Wanted(names, found["where"], found["sort"], found["after"])
    texts = {name: text for name, text in given.items() if name != "page"}
    if columns != FIRST_COLUMNS:
        texts["fields"] = columns
    if found["sort"] == Order():
        texts.pop("sort", None)
    return form, Query(wanted, found["fields_"], found["page"], texts)

"""The form that chooses what to compare, and the labels and tags that it offers."""

from collections.abc import Sequence
from typing import Any

from flask import request
from wtforms import StringField

from app.registry import labels
from app.schemas.sides import SidesQuerySchema
from app.web import forms
from app.web.admission import Place
from app.web.forms import GetForm
from app.web.history.sides import NOW

_MOST_TAGS = 100


class CompareForm(GetForm):
    """Two versions, of the whole repo or of something in it."""

    left = StringField("Left: version")
    right = StringField("Right: version")
    target = StringField("Target")
    prompt = StringField("Prompt")
    against = StringField("Left: another target or prompt")

    @property
    def is_sent(self) -> bool:
        """Tell whether somebody pressed the button."""
        return "left" in request.args


def read() -> tuple[CompareForm, dict[str, Any] | None]:
    """Return the form, and the parts of the address where it leads; None where there is no such address yet."""
    form = CompareForm(request.args)
    default = {"default": "true"} if request.args.get("default") else {}
    given = {field.name: field.data.strip() for field in form if field.data and field.data.strip()} | default
    if not form.is_sent:
        return form, None
    left, right = given.pop("left", NOW), given.pop("right", NOW)
    if forms.loaded(SidesQuerySchema(), {"left": left, "right": right, **given}, form) is None:
        return form, None
    return form, {"a": left, "b": right, **given}


def offered(place: Place) -> Sequence[tuple[str, str]]:
    """Return the versions that have names: each with the word that says what it is."""
    tags = sorted(place.repository.tags(), key=lambda tag: -(tag.signature.moment if tag.signature else 0))
    return [
        (NOW, "now"),
        *((name, "label") for name in labels.FOLDER.names(place.snapshot)),
        *((tag.name, "tag") for tag in tags[:_MOST_TAGS]),
    ]

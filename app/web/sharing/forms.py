"""The forms of a repo's settings. Each has a prefix, since one page has them all."""

from typing import Any

from flask_wtf import FlaskForm
from marshmallow import Schema
from wtforms import SelectField, StringField

from app.domain.tokens import Access
from app.schemas.grants import GrantPutSchema
from app.schemas.repo_life import RenameSchema, TransferSchema, UndeleteSchema
from app.web import forms

_ACCESS: Any = [str(Access.READ), str(Access.WRITE)]  # the types of WTForms know pairs alone, which it deprecates


class _ReasonedForm(FlaskForm):
    """A form for a change that may have a reason."""

    reason = StringField("Why")

    def load(self, schema: Schema, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return what is asked for, or None where the form has mistakes."""
        found: dict[str, Any] | None = forms.loaded(schema, data, self)
        return found


class _ConfirmedForm(_ReasonedForm):
    """A form for a change of a whole repo, whose name is typed once more."""

    typed = StringField("Name of the repo")

    def confirms(self, name: str) -> bool:
        """Tell whether the name was typed; otherwise the form says that it should be."""
        if self.typed.data == name:
            return True
        self.typed.errors = [f"Type {name} to confirm"]
        return False


class GrantForm(_ReasonedForm):
    """With whom a repo is shared, and what they may do."""

    user_id = StringField("User")
    access = SelectField("Access", choices=_ACCESS)

    def read(self) -> tuple[str, Access] | None:
        """Return who gets which access."""
        found = self.load(GrantPutSchema(), {"access": self.access.data})
        return None if found is None else ((self.user_id.data or "").strip(), Access(found["access"]))


class RenameForm(_ReasonedForm):
    """The new name of a repo."""

    name = StringField("New name")

    def read(self) -> str | None:
        """Return the new name."""
        found = self.load(RenameSchema(), {"name": (self.name.data or "").strip()})
        return None if found is None else str(found["name"])


class TransferForm(_ConfirmedForm):
    """The new owner of a repo."""

    user_id = StringField("New owner")

    def read(self) -> str | None:
        """Return the new owner."""
        found = self.load(TransferSchema(), {"user_id": (self.user_id.data or "").strip()})
        return None if found is None else str(found["user_id"])


class DeleteForm(_ConfirmedForm):
    """The deletion of a repo."""


class RestoreForm(_ReasonedForm):
    """The name that a deleted repo gets."""

    name = StringField("Name")

    def read(self, id_: str) -> dict[str, Any] | None:
        """Return which deleted repo is asked for, and its name, None for the one that it had."""
        return self.load(UndeleteSchema(), {"name": (self.name.data or "").strip() or None, "id": id_})

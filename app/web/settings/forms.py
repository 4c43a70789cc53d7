"""The forms for tokens and users, and the requests that they make."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField

from app.domain.tokens import Access, TokenRequest
from app.schemas.accounts import TokenCreateSchema, UserCreateSchema, UserPatchSchema
from app.web import forms

_ACCESS: Any = [str(Access.WRITE), str(Access.READ)]  # the types of WTForms know pairs alone, which it deprecates


class TokenForm(FlaskForm):
    """A new token."""

    name = StringField("Name")
    access = SelectField("Access", choices=_ACCESS)
    repos = TextAreaField("Only for these repos")
    expires_at = StringField("Last day")

    def read(self) -> TokenRequest | None:
        """Return the token that is asked for, or None where the form has mistakes."""
        day = (self.expires_at.data or "").strip()
        data = {
            "name": (self.name.data or "").strip(),
            "access": self.access.data,
            "repos": (self.repos.data or "").replace(",", " ").split() or None,
            "expires_at": f"{day}T23:59:59Z" if day else None,
        }
        found: TokenRequest | None = forms.loaded(TokenCreateSchema(), data, self)
        return found


class UserForm(FlaskForm):
    """The name and the address that commits show of a user."""

    user_alias = StringField("Name in commits")
    user_email = StringField("Address in commits")

    def read(self) -> dict[str, Any] | None:
        """Return what is asked for, or None where the form has mistakes."""
        found: dict[str, Any] | None = forms.loaded(UserPatchSchema(), self._texts(), self)
        return found

    def _texts(self) -> dict[str, str | None]:
        fields = {"user_alias": self.user_alias, "user_email": self.user_email}
        return {name: (field.data or "").strip() or None for name, field in fields.items()}


class NewUserForm(UserForm):
    """A new user."""

    user_id = StringField("Id")

    def read(self) -> dict[str, Any] | None:
        """Return the user who is asked for, or None where the form has mistakes."""
        data = {"user_id": (self.user_id.data or "").strip(), **self._texts()}
        found: dict[str, Any] | None = forms.loaded(UserCreateSchema(), data, self)
        return found


class ConfirmForm(FlaskForm):
    """A question that is answered by a button, and where much is lost, by a name that is typed."""

    typed = StringField("Type the name")

    def confirms(self, name: str) -> bool:
        """Tell whether the name was typed; otherwise the form says that it should be."""
        if self.typed.data == name:
            return True
        self.typed.errors = [f"Type {name} to confirm"]
        return False

"""A new repo, made by a form."""

from flask_wtf import FlaskForm
from wtforms import StringField

from app.domain.errors import Conflict
from app.domain.tokens import Access
from app.registry import repos
from app.registry.life import creation
from app.registry.repos import Repo
from app.schemas.repos import RepoCreateSchema
from app.web import admission, forms
from app.web.parts.refusals import attempt
from app.wire import context

_SCHEMA = RepoCreateSchema()


class RepoForm(FlaskForm):
    """The name and base model of a new repo, and why it is made."""

    repo_name = StringField("Name")
    base_model = StringField("Base model", default=repos.DEFAULT_BASE_MODEL)
    reason = StringField("Reason")


def create(form: RepoForm) -> tuple[Repo | None, int]:
    """Make the repo that a form asks for; None and a status where it is refused, with the reasons at the form."""
    data = {
        "repo_name": (form.repo_name.data or "").strip(),
        "base_model": (form.base_model.data or "").strip() or None,
    }
    asked = forms.loaded(_SCHEMA, data, form)
    if asked is None:
        return None, 422
    return attempt(form, lambda: _create(asked["repo_name"], asked["base_model"], form.reason.data))


def _create(name: str, base_model: str | None, reason: str | None) -> Repo:
    caller = context.principal()
    caller.check_token(Access.WRITE, name)
    repo, is_new = creation.create(context.places(), admission.origin(reason), caller.owner, name, base_model)
    if not is_new:
        raise Conflict(name, f"Repo '{name}' exists already")
    return repo

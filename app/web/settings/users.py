"""`/-/users`: the users and their tokens, for the master key."""

from flask import Response, flash, redirect, url_for
from werkzeug.wrappers import Response as Redirect

from app import auth
from app.domain.preconditions import UNCONDITIONAL
from app.registry.users import listing, namesakes
from app.schemas.accounts import UserListQuerySchema
from app.web import admission
from app.web.parts.refusals import attempt
from app.web.rendering import page
from app.web.settings.confirmations import Confirmation
from app.web.settings.forms import ConfirmForm, NewUserForm, TokenForm, UserForm
from app.web.settings.tokens import ADDRESS, Tokens
from app.wire import context
from app.wire.query import load_query

blueprint = admission.pages("users")

_QUERY = UserListQuerySchema()


@blueprint.before_request
def require_master_key() -> None:
    """Refuse everybody but the master key."""
    auth.check_managing_users(context.principal())


@blueprint.get("/-/users")
def show_all() -> Response:
    """Show the users in pages, and the form for a new one."""
    return _list(NewUserForm())


@blueprint.post("/-/users")
def create() -> Response:
    """Create a user, and show the secret of the first token this once."""
    form, accounts = NewUserForm(), context.services().accounts
    asked = form.read()
    if asked is None:
        return _list(form, 422)
    user_id, names = asked["user_id"], (asked["user_alias"], asked["user_email"])
    secret, status = attempt(form, lambda: accounts.create(admission.origin(), user_id, *names))
    if secret is None:
        return _list(form, status)
    [token] = accounts.get(user_id).tokens
    _warn(user_id)
    return page("settings/secret.html", 201, token=token, secret=secret, user_id=user_id, back=_address(user_id))


@blueprint.get("/-/users/<user_id>")
def show(user_id: str) -> Response:
    """Show a user, with the forms to change them."""
    tokens = _tokens(user_id)
    form = UserForm(user_alias=tokens.user.alias, user_email=tokens.user.email)
    return page("settings/user.html", tokens=tokens, form=form, new=TokenForm())


@blueprint.post("/-/users/<user_id>")
def change(user_id: str) -> Response | Redirect:
    """Change the name and the address that commits show of a user from now on."""
    form, tokens, accounts = UserForm(), _tokens(user_id), context.services().accounts
    asked = form.read()
    if asked is None:
        return page("settings/user.html", 422, tokens=tokens, form=form, new=TokenForm(formdata=None))
    changes = {name.removeprefix("user_"): value for name, value in asked.items()}
    accounts.change(admission.origin(), user_id, changes, UNCONDITIONAL)
    flash(f"From now on, commits of {user_id} show this name and address.")
    _warn(user_id)
    return redirect(_address(user_id), 303)


@blueprint.post("/-/users/<user_id>/tokens")
def make_token(user_id: str) -> Response:
    """Give a user one more token, and show its secret this once."""
    form, tokens = TokenForm(), _tokens(user_id)
    made, status = tokens.make(form)
    user_form = UserForm(formdata=None, user_alias=tokens.user.alias, user_email=tokens.user.email)
    return made or page("settings/user.html", status, tokens=tokens, form=user_form, new=form)


@blueprint.get(f"/-/users/<user_id>/{ADDRESS}")
def ask_about_token(user_id: str, token_name: str, act: str) -> Response:
    """Ask before a token of a user is rotated or revoked."""
    return _tokens(user_id).ask(token_name, act)


@blueprint.post(f"/-/users/<user_id>/{ADDRESS}")
def change_token(user_id: str, token_name: str, act: str) -> Response | Redirect:
    """Rotate or revoke a token of a user."""
    return _tokens(user_id).change(token_name, act)


@blueprint.get("/-/users/<user_id>/remove")
def ask_to_remove(user_id: str) -> Response:
    """Ask before a user is removed."""
    context.services().accounts.get(user_id)
    return _removal(ConfirmForm(), user_id)


@blueprint.post("/-/users/<user_id>/remove")
def remove(user_id: str) -> Response | Redirect:
    """Remove a user who has no repos, and revoke their tokens."""
    form = ConfirmForm()
    if not form.confirms(user_id):
        return _removal(form, user_id, 422)
    places = context.places()  # so that a transfer to this user which a crash cut short keeps nobody from it
    accounts = places.accounts
    count, status = attempt(form, lambda: accounts.remove(admission.origin(), user_id, UNCONDITIONAL, places.repos))
    if count is None:
        return _removal(form, user_id, status)
    flash(f"User {user_id} is removed, and {count} token{'' if count == 1 else 's'} revoked.")
    return redirect(url_for("web.users.show_all"), 303)


def _removal(form: ConfirmForm, user_id: str, status: int = 200) -> Response:
    told = [
        "All tokens of the user stop working at once. The id is not given to another user, since commits name it.",
        "A user who has repos cannot be removed: transfer or delete the repos first.",
    ]
    confirmation = Confirmation(f"Remove the user {user_id}?", told, "Remove", typed=user_id)
    return page("settings/confirm.html", status, form=form, confirmation=confirmation, back=_address(user_id))


def _list(form: NewUserForm, status: int = 200) -> Response:
    query = load_query(_QUERY, is_open=True)
    found = listing.find(context.services().accounts, query["q"])
    shown = found[query["offset"] : query["offset"] + query["limit"]]
    return page("settings/users.html", status, form=form, query=query, users=shown, total=len(found))


def _tokens(user_id: str) -> Tokens:
    return Tokens(context.services().accounts.get(user_id), None, _address(user_id))


def _address(user_id: str) -> str:
    return url_for("web.users.show", user_id=user_id)


def _warn(user_id: str) -> None:
    for warning in namesakes.warnings(context.services().accounts, user_id):
        flash(warning)

"""`/-/settings`: who signed in, and their own tokens."""

from flask import Response, url_for
from werkzeug.wrappers import Response as Redirect

from app.web import admission
from app.web.rendering import page
from app.web.settings.forms import TokenForm
from app.web.settings.tokens import ADDRESS, Tokens
from app.wire import context

blueprint = admission.pages("settings")


@blueprint.get("/-/settings")
def show() -> Response:
    """Show who signed in, and the tokens of this user."""
    if context.principal().is_master:
        return page("settings/master.html")
    return page("settings/settings.html", tokens=_own(), form=TokenForm())


@blueprint.post("/-/settings/tokens")
def make() -> Response:
    """Make a token, and show its secret this once."""
    form, tokens = TokenForm(), _own()
    made, status = tokens.make(form)
    return made or page("settings/settings.html", status, tokens=tokens, form=form)


@blueprint.get(f"/-/settings/{ADDRESS}")
def ask(token_name: str, act: str) -> Response:
    """Ask before a token is rotated or revoked."""
    return _own().ask(token_name, act)


@blueprint.post(f"/-/settings/{ADDRESS}")
def change(token_name: str, act: str) -> Response | Redirect:
    """Rotate or revoke a token."""
    return _own().change(token_name, act)


def _own() -> Tokens:
    caller = context.principal()
    return Tokens(context.services().accounts.get(caller.user.id), caller.token, url_for("web.settings.show"))

"""Two versions side by side, and the form that chooses them."""

from typing import Any

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as Redirect

from app.web import admission
from app.web.history import choices, sides, single, whole
from app.web.history.blueprint import REPO, blueprint
from app.web.rendering import page


@blueprint.get(f"{REPO}/compare")
def compare(owner: str, repo_name: str) -> Response | Redirect:
    """Show the form that chooses what to compare, or go where it leads; 422 where it has mistakes."""
    place = admission.place()
    form, parts = choices.read()
    if parts is not None:
        return redirect(url_for("web.history.compared", **{"owner": owner, "repo_name": repo_name, **parts}), 303)
    return page("history/compare.html", 422 if form.is_sent else 200, form=form, offered=choices.offered(place))


@blueprint.get(f"{REPO}/compare/<a>...<b>")
def compared(a: str, b: str, **_: str) -> Response:
    """Show two versions side by side: of the whole repo, or of a target, a prompt or the default."""
    place = admission.place()
    found = sides.read(place, a, b)
    shown: dict[str, Any]
    is_text = found.query["view"] == "text"
    if found.kind is None:
        shown = {"text": whole.as_text(place, found)} if is_text else {"compared": whole.read(place, found)}
    else:
        shown = {"text": single.as_text(place, found)} if is_text else {"compared": single.read(place, found)}
    template = "text" if is_text else "whole" if found.kind is None else "single"
    return page(f"history/{template}.html", sides=found, **shown)

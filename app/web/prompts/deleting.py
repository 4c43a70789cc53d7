"""Delete a prompt in the browser, after a look at who uses it still."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.domain.errors import PreconditionFailed
from app.domain.preconditions import Precondition
from app.registry.configs import prompts
from app.registry.configs.prompts import FOLDER
from app.web import admission
from app.web.admission import Place
from app.web.prompts import reading
from app.web.rendering import page
from app.wire.context import InvalidHeader


def ask(place: Place, name: str, mistake: str | None = None, status: int = 200) -> Response:
    """Ask whether a prompt should be deleted."""
    prompt = prompts.get(place.repository.head(), name)
    reason = request.form.get("reason", "")
    found = reading.used(place, prompt)
    return page("prompts/delete.html", status, prompt=prompt, used=found, mistake=mistake, reason=reason)


def delete(place: Place, name: str) -> Response | Redirect:
    """Delete a prompt, if it is still as the page showed it."""
    condition = Precondition(frozenset([request.form.get("version", "")]))
    try:
        FOLDER.delete(place.repository, admission.origin(request.form.get("reason")), name, condition)
    except PreconditionFailed:
        return ask(place, name, "Somebody wrote the prompt meanwhile. Look at it again before you delete it.", 412)
    except InvalidHeader as error:
        return ask(place, name, str(error), 422)
    flash(f"Prompt '{name}' is deleted. Its history stays, and it can be put back.")
    return redirect(url_for("web.prompts.show_all", owner=place.owner, repo_name=place.repo_name), 303)

"""Delete a target in the browser, after a look at who has to do with it."""

from dataclasses import replace

from flask import Response, flash, redirect, request, url_for

from app.domain.errors import PreconditionFailed
from app.domain.preconditions import Precondition
from app.registry.configs import targets
from app.registry.configs.target_files import FOLDER
from app.web import admission
from app.web.admission import Place
from app.web.edit import previews
from app.web.edit.editing import Answer
from app.web.rendering import page
from app.wire.context import InvalidHeader


def show(place: Place, name: str, mistake: str | None = None, status: int = 200) -> Response:
    """Ask whether a target should be deleted. A damaged one can be, too: only the version of its file is read."""
    version = FOLDER.expect(place.snapshot, name)
    values = {"name": name, "version": version, "affected": previews.affected(place, name), "mistake": mistake}
    return page("edit/delete.html", status, **values, reason=request.form.get("reason", ""))


def carry_out(place: Place, name: str) -> Answer:
    """Delete a target, if it is still as the page showed it."""
    condition = Precondition(frozenset([request.form.get("version", "")]))
    try:
        targets.delete(place.repository, admission.origin(request.form.get("reason")), name, condition)
    except PreconditionFailed:
        now = replace(place, snapshot=place.repository.head())
        return show(now, name, "Somebody wrote the target meanwhile. Look at it again before you delete it.", 412)
    except InvalidHeader as error:
        return show(place, name, str(error), 422)
    flash(f"Target '{name}' is deleted. Its history stays, and it can be put back.")
    return redirect(url_for("web.repo.show", owner=place.owner, repo_name=place.repo_name), 303)

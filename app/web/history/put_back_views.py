"""Putting a target, a prompt or the default back as it was: the preview, and the change."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.domain.errors import PreconditionFailed
from app.web import admission
from app.web.history import put_back
from app.web.history.blueprint import DEFAULT, PROMPT, TARGET, blueprint
from app.web.history.put_back import PutBackForm
from app.web.parts import addressed
from app.web.rendering import page


@blueprint.get(f"{TARGET}/put-back", endpoint="preview_target")
@blueprint.get(f"{PROMPT}/put-back", endpoint="preview_prompt")
@blueprint.get(f"{DEFAULT}/put-back", endpoint="preview_default")
def preview(**_: str) -> Response:
    """Show what putting a thing back would change, and the form that does it."""
    return _show(request.args.get("to", ""), PutBackForm())


@blueprint.post(f"{TARGET}/put-back", endpoint="put_back_target")
@blueprint.post(f"{PROMPT}/put-back", endpoint="put_back_prompt")
@blueprint.post(f"{DEFAULT}/put-back", endpoint="put_back_default")
def change(**names: Any) -> Response | Redirect:
    """Put a thing back, and go to its history; 412 with both sides where somebody changed it meanwhile."""
    thing, form = addressed.thing(), PutBackForm()
    try:
        put_back.put_back(admission.place(), thing, form)
    except PreconditionFailed:
        return _show(form.to.data or "", form, 412)
    flash(f"{thing.title} is as it was.")
    return redirect(url_for(f"web.history.of_{addressed.kind(thing)}", **names), 303)


def _show(to: str, form: PutBackForm, status: int = 200) -> Response:
    place, thing = admission.place(), addressed.thing()
    found = put_back.read(place, thing, to)
    seen, form.to.data, form.version.data = form.version.data, found.then.id, found.now
    between = put_back.meanwhile(place, thing, seen or put_back.NOTHING) if status != 200 else None
    shown = {"preview": found, "kind": addressed.kind(thing), "conflict": status != 200, "meanwhile": between}
    return page("history/put_back.html", status, form=form, **shown)

"""One label: its page, the preview of a move, and the move."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.domain.errors import NotPermitted, PreconditionFailed
from app.registry import label_files, labels
from app.registry.label_files import Label
from app.schemas.labels import LabelPutSchema, NewLabelSchema
from app.web import forms
from app.web.admission import Place
from app.web.labels import history, listing, moving
from app.web.labels.label_forms import NOTHING, LabelForm, MoveForm, ProtectForm
from app.web.labels.moving import Meanwhile
from app.web.rendering import page
from app.wire.movers import mover
from storage.errors import RevisionAmbiguous, RevisionNotFound

Answer = Response | Redirect
_MOST_PLACES = 100  # that the form suggests


def show(
    place: Place,
    name: str,
    status: int = 200,
    form: ProtectForm | None = None,
    meanwhile: Meanwhile | None = None,
    to: str = "",
    mistake: str = "",
) -> Response:
    """Show where a label is and who put it there; also one that was deleted, with the way back.

    `to` and `mistake` are of a move that cannot be; `meanwhile` of a change that came after somebody else's.
    """
    label = label_files.read(place.snapshot, name)
    found = history.read(place, name, request.args.get("before"))
    return page(
        "labels/label.html",
        status,
        name=name,
        label=label,
        on=listing.commit_or_none(place.repository, label.commit if label else None),
        history=found,
        form=form or _protect_form(label),
        may_move=place.may_edit and _may_move(label),
        may_protect=place.may_edit and mover().is_owner,
        places=_places(place, name),
        meanwhile=meanwhile,
        to=to,
        mistake=mistake,
    )


def preview(place: Place, name: str, to: str, form: MoveForm, status: int = 200) -> Response:
    """Show what moving a label would change; where it cannot go there, the page of the label says why."""
    wanted = forms.loaded(LabelPutSchema(), {"ref": to}, form)
    if wanted is None:
        return show(place, name, 422, to=to, mistake=". ".join(map(str, form.ref.errors)))
    try:
        found = moving.preview(place, name, wanted["ref"])
    except (RevisionNotFound, RevisionAmbiguous) as error:
        return show(place, name, 422, to=to, mistake=str(error))
    seen, form.version.data, form.ref.data = form.version.data, found.version, found.to.id
    between = moving.meanwhile(place, name, seen) if status == 412 else None
    return page("labels/move.html", status, name=name, preview=found, form=form, meanwhile=between)


def move(place: Place, name: str, form: MoveForm) -> Answer:
    """Make or move a label, and show it."""
    is_new = form.version.data in (None, "", NOTHING)
    wanted = checked(form, {"ref": form.ref.data or ""}, name if is_new else None)
    if wanted is None:
        return preview(place, name, form.ref.data or "", form, 422)
    try:
        label = moving.move(place, name, form, wanted["ref"])
    except PreconditionFailed:
        return preview(place, name, form.ref.data or "", form, 412)
    flash(f"Label '{name}' is on {label.commit[:7]} now.")
    return to_label(place, name)


def checked(form: LabelForm, data: dict[str, Any], new_name: str | None = None) -> dict[str, Any] | None:
    """Return what a form asks for, with its reason; None where it has mistakes, which stand at its fields."""
    data = {**data, "reason": (form.reason.data or "").strip() or None}
    if new_name is not None:
        data["name"] = new_name
    schema = LabelPutSchema() if new_name is None else NewLabelSchema()
    found: dict[str, Any] | None = forms.loaded(schema, data, form)
    return found


def to_label(place: Place, name: str) -> Redirect:
    """Return the way to the page of a label."""
    return redirect(url_for("web.labels.show", owner=place.owner, repo_name=place.repo_name, label_name=name), 303)


def _protect_form(label: Label | None) -> ProtectForm:
    users = label.protected if label else None
    version = label.version if label else NOTHING
    return ProtectForm(None, who="all" if users is None else "some", protected=" ".join(users or ()), version=version)


def _may_move(label: Label | None) -> bool:
    try:
        mover().check(label)
    except NotPermitted:
        return False
    return True


def _places(place: Place, name: str) -> list[str]:
    """Return labels and tags to choose from."""
    names = [each for each in labels.get_all(place.snapshot) if each != name]
    return ["main", *names, *(tag.name for tag in place.repository.tags())][:_MOST_PLACES]

"""Who may move a label, and deleting it."""

from collections.abc import Iterable

from flask import Response, flash

from app.domain.errors import NotFound, PreconditionFailed
from app.registry import labels
from app.registry.labels import LabelRequest
from app.web import admission
from app.web.admission import Place
from app.web.labels import moving, one_label
from app.web.labels.label_forms import LabelForm, ProtectForm
from app.web.labels.one_label import Answer
from app.web.rendering import page
from app.wire import context
from app.wire.movers import mover


def protect(place: Place, name: str, form: ProtectForm) -> Answer:
    """Change who may move a label, and show it."""
    mover().check_protecting(name)
    users = None if form.who.data == "all" else (form.protected.data or "").replace(",", " ").split()
    wanted = one_label.checked(form, {"ref": name, "protected": users})
    if wanted is None or not _are_users(wanted["protected"] or (), form):
        return one_label.show(place, name, 422, form)
    request, origin = LabelRequest(name, True, wanted["protected"]), admission.origin(form.reason.data)
    try:
        labels.put(place.repository, origin, mover(), name, request, form.precondition(), dry_run=False)
    except PreconditionFailed:
        seen = moving.meanwhile(place, name, form.version.data)
        form.version.data = moving.version(place, name)
        return one_label.show(place, name, 412, form, seen)
    flash(f"Everybody who may write may move '{name}'." if users is None else f"Label '{name}' is protected.")
    return one_label.to_label(place, name)


def ask_to_delete(place: Place, name: str, form: LabelForm, status: int = 200) -> Response:
    """Ask whether a label should be deleted, and say where it is."""
    label = labels.get(place.repository.head(), name)
    mover().check(label)
    meanwhile = moving.meanwhile(place, name, form.version.data) if status == 412 else None
    form.version.data = label.version
    return page("labels/delete.html", status, name=name, label=label, form=form, meanwhile=meanwhile)


def delete(place: Place, name: str, form: LabelForm) -> Answer:
    """Delete a label, and show what is left: its history."""
    if one_label.checked(form, {"ref": name}) is None:
        return ask_to_delete(place, name, form, 422)
    try:
        labels.delete(place.repository, admission.origin(form.reason.data), mover(), name, form.precondition())
    except PreconditionFailed:
        return ask_to_delete(place, name, form, 412)
    flash(f"Label '{name}' is deleted. Its history stays, and it can be put back.")
    return one_label.to_label(place, name)


def _are_users(user_ids: Iterable[str], form: ProtectForm) -> bool:
    """Tell whether all ids are those of users; the form says of which there is none."""
    for user_id in user_ids:
        try:
            context.services().accounts.get(user_id)
        except NotFound as error:
            form.protected.errors = [*form.protected.errors, str(error)]
    return not form.protected.errors

"""`/<owner>/<repo_name>/labels`, `…/labels/<label_name>` and `…/tags`."""

from flask import Response, redirect, request, url_for

from app.web import admission
from app.web.labels import changes, listing, new_label, one_label, tagging
from app.web.labels.label_forms import LabelForm, MoveForm, NewLabelForm, ProtectForm, TagForm
from app.web.labels.one_label import Answer
from app.web.parts import numbered
from app.web.parts.writable import place_to_write
from app.web.rendering import page

blueprint = admission.pages("labels")

_REPO = "/<user:owner>/<repo_name>"
_LABEL = f"{_REPO}/labels/<label_name>"


@blueprint.get(f"{_REPO}/labels")
def show_all(owner: str, repo_name: str) -> Response:
    """Show what is live where since when, and the tags."""
    return _show_all(TagForm(ref="main"))


@blueprint.post(f"{_REPO}/tags")
def create_tag(owner: str, repo_name: str) -> Answer:
    """Make a tag."""
    form = TagForm()
    if tagging.create(admission.place(), form):
        return redirect(url_for("web.labels.show_all", owner=owner, repo_name=repo_name), 303)
    return _show_all(form, 422)


@blueprint.get(f"{_REPO}/new-label")
def new(owner: str, repo_name: str) -> Answer:
    """Ask for the name of a new label and its commit, and go on to the preview."""
    form = NewLabelForm(request.args)
    if new_label.is_complete(admission.place(), form):
        name, to = form.name.data or "", form.to.data
        return redirect(url_for("web.labels.preview", owner=owner, repo_name=repo_name, label_name=name, to=to))
    return page("labels/new.html", 422 if form.errors else 200, form=form)


@blueprint.get(_LABEL)
def show(owner: str, repo_name: str, label_name: str) -> Response:
    """Show where a label is, and its history."""
    return one_label.show(admission.place(), label_name)


@blueprint.get(f"{_LABEL}/move")
def preview(owner: str, repo_name: str, label_name: str) -> Response:
    """Show what a move would change, and the form that does it."""
    return one_label.preview(admission.place(), label_name, request.args.get("to", "main"), MoveForm())


@blueprint.post(f"{_LABEL}/move")
def move(owner: str, repo_name: str, label_name: str) -> Answer:
    """Make or move a label; 412 with both sides where somebody changed it meanwhile."""
    return one_label.move(admission.place(), label_name, MoveForm())


@blueprint.post(f"{_LABEL}/protect")
def protect(owner: str, repo_name: str, label_name: str) -> Answer:
    """Say who may move a label."""
    return changes.protect(admission.place(), label_name, ProtectForm())


@blueprint.get(f"{_LABEL}/delete")
def ask_to_delete(owner: str, repo_name: str, label_name: str) -> Response:
    """Ask whether a label should be deleted."""
    return changes.ask_to_delete(place_to_write(), label_name, LabelForm())


@blueprint.post(f"{_LABEL}/delete")
def delete(owner: str, repo_name: str, label_name: str) -> Answer:
    """Delete a label."""
    return changes.delete(admission.place(), label_name, LabelForm())


def _show_all(form: TagForm, status: int = 200) -> Response:
    place = admission.place()
    tags = listing.tags(place, numbered.number("offset"))
    return page("labels/labels.html", status, rows=listing.of_repo(place), tags=tags, form=form)

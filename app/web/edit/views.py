"""`/<owner>/<repo_name>/{new,sweep,default/edit}` and `…/targets/<target_name>/{edit,delete,rebase}`."""

from flask import Response, request

from app.domain.names import DEFAULT_TEMPLATE
from app.web import admission
from app.web.edit import deleting, editor_page, offers, rebasing, sweep_form, sweeping
from app.web.edit.default_editing import DefaultEditing
from app.web.edit.editing import Answer, Editing
from app.web.parts.writable import place_to_write

blueprint = admission.pages("edit")

_DEFAULT = "/<user:owner>/<repo_name>/default/edit"
_NEW, _SWEEP = "/<user:owner>/<repo_name>/new", "/<user:owner>/<repo_name>/sweep"
_TARGET = "/<user:owner>/<repo_name>/targets/<item:target_name>"
_EDIT, _DELETE, _REBASE = f"{_TARGET}/edit", f"{_TARGET}/delete", f"{_TARGET}/rebase"


@blueprint.get(_NEW)
def new(owner: str, repo_name: str) -> Response:
    """Show the editor of a new target; `template` says what to begin with."""
    return Editing.begin_new(place_to_write(), request.args).show()


@blueprint.post(_NEW)
def create(owner: str, repo_name: str) -> Answer:
    """Create a target, or do what another button of the editor says."""
    return Editing.of_request(place_to_write(), None).act()


@blueprint.get(_EDIT)
def edit(owner: str, repo_name: str, target_name: str) -> Response:
    """Show the editor of a target, on its template; or on the target itself, as it is now, where `on` says `itself`."""
    return Editing.begin(place_to_write(), target_name, request.args).show()


@blueprint.post(_EDIT)
def save(owner: str, repo_name: str, target_name: str) -> Answer:
    """Save a target, or do what another button of the editor says."""
    return Editing.of_request(place_to_write(), target_name).act()


@blueprint.post(f"{_EDIT}/merge")
def merge(owner: str, repo_name: str, target_name: str) -> Answer:
    """Save what two people changed, as the form of the conflict says."""
    return Editing.of_request(place_to_write(), target_name).merge()


@blueprint.post(f"{_NEW}/preview")
def preview_new(owner: str, repo_name: str) -> Response:
    """Show what creating a target would do, as a part of a page, with the server's messages by field."""
    return editor_page.show_preview(Editing.of_request(place_to_write(), None))


@blueprint.post(f"{_EDIT}/preview")
def preview(owner: str, repo_name: str, target_name: str) -> Response:
    """Show what saving a target would do, as a part of a page, with the server's messages by field."""
    return editor_page.show_preview(Editing.of_request(place_to_write(), target_name))


@blueprint.get(_DEFAULT)
def edit_default(owner: str, repo_name: str) -> Response:
    """Show the editor of the default."""
    return DefaultEditing.begin_default(place_to_write(), request.args).show()


@blueprint.post(_DEFAULT)
def save_default(owner: str, repo_name: str) -> Answer:
    """Save the default, or do what another button of the editor says."""
    return DefaultEditing.of_request(place_to_write(), DEFAULT_TEMPLATE).act()


@blueprint.post(f"{_DEFAULT}/merge")
def merge_default(owner: str, repo_name: str) -> Answer:
    """Save what two people changed in the default, as the form of the conflict says."""
    return DefaultEditing.of_request(place_to_write(), DEFAULT_TEMPLATE).merge()


@blueprint.post(f"{_DEFAULT}/preview")
def preview_default(owner: str, repo_name: str) -> Response:
    """Show what saving the default would do, as a part of a page, with the server's messages by field."""
    return editor_page.show_preview(DefaultEditing.of_request(place_to_write(), DEFAULT_TEMPLATE))


@blueprint.get("/<user:owner>/<repo_name>/names")
def names(owner: str, repo_name: str) -> Response:
    """Return names of targets or prompts that have a text in them, a line each, for the list at a field."""
    return offers.answer(admission.place())


@blueprint.get(_DELETE)
def delete(owner: str, repo_name: str, target_name: str) -> Response:
    """Ask whether a target should be deleted."""
    return deleting.show(place_to_write(), target_name)


@blueprint.post(_DELETE)
def carry_out_delete(owner: str, repo_name: str, target_name: str) -> Answer:
    """Delete a target."""
    return deleting.carry_out(place_to_write(), target_name)


@blueprint.get(_REBASE)
def rebase(owner: str, repo_name: str, target_name: str) -> Response:
    """Show what a rebase would do; `descendants` includes all that was made from the target."""
    return rebasing.show(place_to_write(), target_name, "descendants" in request.args)


@blueprint.post(_REBASE)
def carry_out_rebase(owner: str, repo_name: str, target_name: str) -> Answer:
    """Rebase a target."""
    return rebasing.carry_out(place_to_write(), target_name)


@blueprint.get(_SWEEP)
def sweep(owner: str, repo_name: str) -> Response:
    """Show the form of a sweep; `template` says what to begin with."""
    return sweeping.show(place_to_write(), sweep_form.defaults(request.args))


@blueprint.post(_SWEEP)
def carry_out_sweep(owner: str, repo_name: str) -> Answer:
    """Show the targets that a sweep comes to, or make them."""
    return sweeping.answer(place_to_write())

"""The name and the commit of a new label, before the preview of it."""

from app.domain.errors import Conflict, NameNotPortable
from app.schemas.base import InvalidRequest, load
from app.schemas.fields import new_names_up_to
from app.schemas.labels import NewLabelSchema
from app.web import forms
from app.web.admission import Place
from app.web.labels import moving
from app.web.labels.label_forms import NewLabelForm
from app.wire import context
from storage.errors import BranchExists, NameTaken, RevisionAmbiguous, RevisionNotFound, TagExists


def is_complete(place: Place, form: NewLabelForm) -> bool:
    """Tell whether a form names a label that can be made, and its commit. Mistakes stand at the fields."""
    if form.name.data is None:
        form.to.data = form.to.data or "main"
        return False
    data = {"name": form.name.data, "ref": form.to.data or ""}
    try:
        with new_names_up_to(context.services().settings.max_name):
            wanted = load(NewLabelSchema(), data, ())
    except InvalidRequest as error:
        # In the address of a page, `ref` is the state of the repo that the page shows.
        told = [(("to",) if location == ("ref",) else location, mistake) for location, mistake in error.told]
        forms.put(told, form)
        return False
    try:
        found = moving.preview(place, wanted["name"], wanted["ref"])
    except (RevisionNotFound, RevisionAmbiguous) as error:
        form.to.errors = [str(error).removesuffix(".")]
    except (Conflict, NameNotPortable, NameTaken, TagExists, BranchExists) as error:
        form.name.errors = [str(error).removesuffix(".")]
    else:
        if found.now is None:
            return True
        form.name.errors = [f"There is a label '{wanted['name']}': move it, or choose another name"]
    return False

"""A new tag, as a form describes it."""

from flask import flash

from app.domain.errors import Conflict, NameNotPortable
from app.registry import revisions
from app.schemas.revisions import TagCreateSchema
from app.web import admission, forms
from app.web.admission import Place
from app.web.labels.label_forms import TagForm
from app.web.parts.typed import one_ending
from app.wire.context import InvalidHeader
from storage.errors import NameTaken, RevisionAmbiguous, RevisionNotFound, TagExists


def create(place: Place, form: TagForm) -> bool:
    """Make a tag; False where the form has mistakes, which stand at its fields."""
    data = {
        "name": form.name.data,
        "ref": form.ref.data or None,
        "message": one_ending(form.message.data or "") or None,
    }
    wanted = forms.loaded(TagCreateSchema(), data, form)
    if wanted is None:
        return False
    try:
        origin = admission.origin(form.reason.data)
        tag, is_new = revisions.create_tag(place.repository, origin, wanted["name"], wanted["ref"], wanted["message"])
    except InvalidHeader as error:
        form.reason.errors = [str(error).removesuffix(".")]
    except (RevisionNotFound, RevisionAmbiguous) as error:
        form.ref.errors = [str(error).removesuffix(".")]
    except (Conflict, NameNotPortable, NameTaken, TagExists) as error:
        form.name.errors = [str(error).removesuffix(".")]
    else:
        flash(f"Tag '{tag.name}' is made." if is_new else f"There is this tag '{tag.name}' already.")
    return not form.errors

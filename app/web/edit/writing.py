"""A draft of a target: checked by the schemas of the API, previewed, and written by its functions."""

from collections.abc import Mapping
from typing import Any

from app.domain.differences import is_same
from app.domain.errors import Conflict, NameNotPortable, NotFound
from app.domain.preconditions import ANY, UNCONDITIONAL, Precondition
from app.registry.configs import target_requests, targets
from app.registry.configs.target_files import Target
from app.registry.configs.target_requests import TargetRequest
from app.registry.configs.targets import Written
from app.schemas.base import InvalidRequest, load
from app.schemas.fields import new_names_up_to
from app.schemas.targets import TargetCreateSchema, TargetPutSchema
from app.web import admission
from app.web.admission import Place
from app.web.edit import documents
from app.web.edit.began import Began
from app.web.edit.form_draft import Document, FormDraft
from app.web.edit.yaml_draft import YamlDraft
from app.wire.context import InvalidHeader, services
from storage.errors import TooLarge

Draft = FormDraft | YamlDraft


def check(draft: Draft, began: Began, new_name: str | None = None) -> Document | None:
    """Return the document of a draft; None where it has mistakes, which are put at its fields.

    `new_name` is the name of a target that is to be created.
    """
    raw = draft.read(began)
    if raw is None:
        return None
    naming = {} if new_name is None else {"target_name": new_name}
    schema = TargetPutSchema() if new_name is None else TargetCreateSchema()
    try:
        with new_names_up_to(services().settings.max_name):
            loaded: dict[str, Any] = load(schema, {**naming, **raw} if isinstance(raw, dict) else raw, ())
    except InvalidRequest as error:
        for location, mistake in error.told:
            draft.put(location, mistake.message)
        return None
    return documents.tidy(loaded)


def preview(place: Place, draft: Draft, name: str, document: Document) -> tuple[Written, Mapping[str, Any]] | None:
    """Return the target that a document leads to, and its template's config; None where there is a mistake."""
    try:
        request = TargetRequest.of(name, document["template"], document["overrides"])
        _, base = target_requests.resolved(place.snapshot, request)
        return targets.preview(place.snapshot, request), base
    except (Conflict, NotFound) as error:
        put_error(draft, error)
        return None


def create(place: Place, draft: Draft, name: str, document: Document, reason: str) -> Written | None:
    """Create a target; None where there is a mistake."""
    try:
        request = TargetRequest.of(name, document["template"], document["overrides"])
        return targets.create(place.repository, admission.origin(reason), request, UNCONDITIONAL)
    except (Conflict, InvalidHeader, NameNotPortable, NotFound, TooLarge) as error:
        put_error(draft, error, name)
        return None


def replace(place: Place, draft: Draft, name: str, document: Document, version: str, reason: str) -> Written | None:
    """Replace a target that is at a version; None where there is a mistake. Without a version there may be no target.

    Raises PreconditionFailed where somebody wrote meanwhile.
    """
    condition = Precondition(frozenset([version])) if version else Precondition(none_match=frozenset([ANY]))
    try:
        request = TargetRequest.of(name, document["template"], document["overrides"])
        return targets.put(place.repository, admission.origin(reason), request, condition)
    except (Conflict, InvalidHeader, NameNotPortable, NotFound, TooLarge) as error:
        put_error(draft, error)
        return None


def changes_nothing(place: Place, target: Target, document: Document) -> bool:
    """Tell whether a document says what a target's own says already, and its template adds nothing new."""
    if not is_same(document, documents.of_target(place.snapshot, target)):
        return document["template"] == target.name and not document["overrides"]
    request = TargetRequest.of(target.name, document["template"], document["overrides"])
    try:
        resolved, _ = target_requests.resolved(place.snapshot, request)
    except NotFound:
        return False
    return is_same(resolved.config, target.config)


def put_error(draft: Draft, error: Exception, new_name: str | None = None) -> None:
    """Put what is wrong with a document at the field that the error is about."""
    if isinstance(error, InvalidHeader):
        draft.mistakes["reason"] = [str(error)]
    elif isinstance(error, NotFound):
        draft.put(("template",), str(error))
    elif getattr(error, "field", None) == "target_name" or (new_name and new_name == getattr(error, "name", None)):
        draft.mistakes["target_name"] = [str(error)]
    else:
        draft.mistakes.setdefault("form", []).append(str(error))

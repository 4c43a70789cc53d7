"""The editor of the default: as that of a target, without a template. What is not set has no value."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.differences import is_same
from app.domain.errors import Conflict, NameNotPortable, NotFound
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.preconditions import Precondition
from app.domain.resolution import in_order, normalize, resolve
from app.registry.configs import defaults, question_templates, references
from app.schemas.base import InvalidRequest, load
from app.schemas.targets import DefaultTargetPutSchema
from app.web import admission
from app.web.admission import Place
from app.web.edit import addresses, documents, kinds, previews, writing
from app.web.edit.addresses import Addresses
from app.web.edit.began import Began
from app.web.edit.editing import Editing
from app.web.edit.form_draft import Document, FormDraft, has_room
from app.web.edit.previews import Preview
from app.web.edit.writing import Draft
from app.web.edit.yaml_draft import YamlDraft
from app.web.parts import conflicts
from app.web.parts.clash import Clash, was_at, writers
from app.wire import json_text
from app.wire.context import InvalidHeader
from storage.errors import TooLarge
from storage.ids import BlobId
from storage.snapshot import Snapshot

_SCHEMA = DefaultTargetPutSchema()


class DefaultEditing(Editing):
    """An editor of the default. Its documents have no template, and no null."""

    @classmethod
    def begin_default(cls, place: Place, query: Mapping[str, str]) -> "DefaultEditing":
        """Return the editor as an address asks for it."""
        version = defaults.version(place.snapshot)
        editing = cls(place, DEFAULT_TEMPLATE, FormDraft("", {}, []), version)
        editing.draft = editing.make(query.get("as", "form"), _document(place.snapshot, version))
        return editing

    @property
    def addresses(self) -> Addresses:
        """The addresses that the page of this editor leads to."""
        return addresses.of_default(self.place)

    def make(self, editor: str, document: Document) -> Draft:
        """Return a document as an editor has it; as YAML it is what the API takes."""
        if editor == "yaml" or not has_room(document):
            return YamlDraft.of(_sent(document), is_for_many=editor != "yaml")
        return FormDraft.of(document)

    def beginning(self) -> Began:
        """Return what the version has that the editor began with."""
        version, snapshot = BlobId(self.version), self.place.snapshot
        if not was_at(self.place, defaults.PATH, version):
            return Began()
        files = defaults.read_files_version(snapshot, version)
        return Began(defaults.read_version(snapshot, version), documents.contents(snapshot, files))

    def inherited(self) -> Mapping[str, Any]:
        """Return nothing: the default has no template."""
        return {}

    def check(self) -> Document | None:
        """Return the document; None where it has mistakes."""
        raw = self.draft.read(self.began)
        if raw is None:
            return None
        try:
            return _tidy(load(_SCHEMA, _sent(raw) if isinstance(self.draft, FormDraft) else raw, ()))
        except InvalidRequest as error:
            for location, mistake in error.told:
                self.draft.put(location, mistake.message)
            return None

    def preview(self) -> Preview | None:
        """Return what saving would do; None where there are mistakes."""
        document = self.check()
        if document is None:
            return None
        try:
            taken, files = question_templates.take(DEFAULT_TEMPLATE, document["overrides"])
        except Conflict as error:
            writing.put_error(self.draft, error)
            return None
        config = in_order(resolve({}, normalize(taken)))
        warnings = list(references.dangling(self.place.snapshot, config, files))
        return previews.of(document, config, warnings, {}, defaults.read(self.place.snapshot)[0])

    def changes_nothing(self, document: Document) -> bool:
        """Tell whether the default is at the version that the editor began with, and says the same already."""
        now = defaults.version(self.place.snapshot)
        return now == self.version and is_same(document, _document(self.place.snapshot, now))

    def put(self, document: Document) -> Sequence[str] | None:
        """Save a document, and return the warnings; None where there is a mistake. Raises PreconditionFailed."""
        condition = Precondition(frozenset([self.version]))
        try:
            origin = admission.origin(self.reason)
            return defaults.put(self.place.repository, origin, document["overrides"], condition).warnings
        except (Conflict, InvalidHeader, NameNotPortable, TooLarge) as error:
            writing.put_error(self.draft, error)
            return None

    def find_clash(self, base: str, version: str, yours: Document) -> Clash:
        """Return how a document, which began with the version `base`, collides with a later one."""
        if not was_at(self.place, defaults.PATH, version):
            raise NotFound(defaults.FOLDER.kind, version)
        is_known = was_at(self.place, defaults.PATH, base)
        before = _sent(_document(self.place.snapshot, BlobId(base))) if is_known else {}
        after = _sent(_document(self.place.snapshot, BlobId(version)))
        changes = conflicts.compare(before, after, _sent(yours))
        told = writers(self.place, defaults.PATH, base)
        return Clash(base, BlobId(version), changes, told, kinds.write(_sent(yours)), after, _tidy)

    def read_yours(self, text: str) -> Document:
        """Return the document that the form of a conflict sends again."""
        return _tidy(load(_SCHEMA, json_text.parse(text.encode(), "The form"), ("body", "yours")))


def _document(snapshot: Snapshot, version: BlobId) -> Document:
    """Return the default at a version as an editor has it."""
    config = defaults.read_version(snapshot, version)
    files = defaults.read_files_version(snapshot, version)
    return _tidy({"config": documents.with_contents(config, documents.contents(snapshot, files))})


def _sent(document: Document) -> Document:
    """Return a document as the API takes it."""
    return {"config": document["overrides"]}


def _tidy(sent: Document) -> Document:
    """Return what the API takes as a document: a null is no value."""
    found = documents.tidy({"template": "", "overrides": sent["config"]})
    return {**found, "overrides": {name: value for name, value in found["overrides"].items() if value is not None}}

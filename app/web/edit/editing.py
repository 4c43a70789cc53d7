"""A request of an editor: what was typed, and which button was pressed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from flask import Response, flash, redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Redirect

from app.domain.errors import NotFound, PreconditionFailed
from app.domain.names import DEFAULT_TEMPLATE
from app.registry.configs import target_files, targets
from app.web.admission import Place
from app.web.edit import addresses, conflict, documents, editor_page, previews, writing
from app.web.edit.addresses import Addresses
from app.web.edit.began import Began
from app.web.edit.form_draft import Document, FormDraft, has_room
from app.web.edit.previews import Preview
from app.web.edit.writing import Draft
from app.web.edit.yaml_draft import YamlDraft
from app.web.parts import clash as clashes
from app.web.parts.clash import Clash, Edited
from app.web.parts.typed import one_ending

Answer = Response | Redirect


def make_draft(editor: str, document: Document) -> Draft:
    """Return a document as an editor has it: the form, or YAML; as YAML also where the form has no room for it."""
    if editor == "yaml" or not has_room(document):
        return YamlDraft.of(document, is_for_many=editor != "yaml")
    return FormDraft.of(document)


@dataclass
class Editing:
    """An editor of one target. `name` is None for a new one, whose name is typed.

    `version` is the one that the editor began with; empty for a new target, and for one that is gone by now.
    """

    place: Place
    name: str | None
    draft: Draft
    version: str = ""
    new_name: str = ""
    reason: str = ""
    began: Began = field(default_factory=Began)

    @classmethod
    def begin_new(cls, place: Place, query: Mapping[str, str]) -> "Editing":
        """Return the editor of a new target, as an address asks for it."""
        document = {"template": query.get("template") or DEFAULT_TEMPLATE, "overrides": {}}
        return cls(place, None, make_draft(query.get("as", "form"), document))

    @classmethod
    def begin(cls, place: Place, name: str, query: Mapping[str, str]) -> "Editing":
        """Return the editor of a target, as an address asks for it."""
        target = targets.get(place.snapshot, name)
        document = documents.start(place.snapshot, target, query.get("on"))
        return cls(place, name, make_draft(query.get("as", "form"), document), target.version)

    @classmethod
    def of_request(cls, place: Place, name: str | None) -> Self:
        """Return an editor as the form of this request has it."""
        form = MultiDict((key, one_ending(text)) for key, text in request.form.items(multi=True))
        is_yaml = form.get("editor") == "yaml"
        draft: Draft = YamlDraft(form.get("yaml", "")) if is_yaml else FormDraft.from_form(form)
        version = form.get("version", "")
        editing = cls(place, name, draft, version, form.get("target_name", "").strip(), form.get("reason", ""))
        editing.began = editing.beginning() if version else Began()
        return editing

    @property
    def addresses(self) -> Addresses:
        """The addresses that the page of this editor leads to."""
        return addresses.of_new(self.place) if self.name is None else addresses.of_target(self.place, self.name)

    def act(self) -> Answer:
        """Do what the pressed button says."""
        pressed = request.form.get("do", "save")
        if pressed == "preview":
            return self.show()
        if pressed.startswith("card.") and isinstance(self.draft, FormDraft):
            self.draft.act(pressed.removeprefix("card."), request.form, self.inherited().get("generators") or ())
            return self.show()
        if pressed in ("as.form", "as.yaml"):
            return self._switch(pressed.removeprefix("as."))
        return self._create() if self.name is None else self._save()

    def merge(self) -> Answer:
        """Save both changes together, or show them in the editor, as the form of a conflict says."""
        form = request.form
        clash = self.find_clash(form.get("base", ""), self.version, self.read_yours(form.get("yours", "")))
        if clash.misses(form):
            return self._show_clash(clash, 422)
        document = clash.merged(form)
        self.draft = self.make(self.draft.editor, document)
        if form.get("do") == "look":
            return self.show(notices=["Both changes are together here. Nothing is saved yet."])
        return self._write(document)

    def show(self, status: int = 200, notices: Sequence[str] = ()) -> Response:
        """Show the editor with what was typed, and with the preview of it."""
        found = None if self.draft.mistakes else self.preview()
        return editor_page.show(self, found, status, notices)

    def preview(self) -> Preview | None:
        """Return what saving would do; None where there are mistakes. A new target needs no name for that."""
        document = self.check()
        name = self.name or "preview"
        found = None if document is None else writing.preview(self.place, self.draft, name, document)
        if document is None or found is None:
            return None
        written, base = found
        now = None if self.name is None else target_files.read(self.place.snapshot, self.name)
        return previews.of(document, written.target.config, written.warnings, base, None if now is None else now.config)

    def check(self) -> Document | None:
        """Return the document; None where it has mistakes."""
        return writing.check(self.draft, self.began)

    def make(self, editor: str, document: Document) -> Draft:
        """Return a document as an editor has it: the form, or YAML."""
        return make_draft(editor, document)

    def beginning(self) -> Began:
        """Return what the version has that the editor began with."""
        began = None if self.name is None else conflict.read_version(self.place, self.name, self.version)
        if began is None:
            return Began()
        return Began(began.config, documents.contents(self.place.snapshot, began.files))

    def inherited(self) -> Mapping[str, Any]:
        """Return the config of the template; nothing where there is no such template."""
        try:
            return target_files.read_template(self.place.snapshot, self.draft.template)[0]
        except NotFound:
            return {}

    def changes_nothing(self, document: Document) -> bool:
        """Tell whether the target is at the version that the editor began with, and says the same already."""
        now = target_files.read(self.place.snapshot, self.name or "")
        is_same_version = now is not None and now.version == self.version
        return now is not None and is_same_version and writing.changes_nothing(self.place, now, document)

    def put(self, document: Document) -> Sequence[str] | None:
        """Save a document, and return the warnings; None where there is a mistake. Raises PreconditionFailed."""
        written = writing.replace(self.place, self.draft, self.name or "", document, self.version, self.reason)
        return None if written is None else written.warnings

    def find_clash(self, base: str, version: str, yours: Document) -> Clash:
        """Return how a document, which began with the version `base`, collides with a later one."""
        return conflict.find(self.place, self.name or "", base, version, yours)

    def read_yours(self, text: str) -> Document:
        """Return the document that the form of a conflict sends again."""
        return conflict.read_yours(text)

    def _switch(self, editor: str) -> Response:
        document = self.check()
        if document is None:
            return self.show(422, ["Correct the mistakes first: the other editor shows what the text means."])
        self.draft = self.make(editor, document)
        return self.show()

    def _create(self) -> Answer:
        document = writing.check(self.draft, self.began, self.new_name)
        written = document and writing.create(self.place, self.draft, self.new_name, document, self.reason)
        if not written:
            return self.show(422)
        self.name = written.target.name
        return self._done("created" if written.is_new else "there already, as you want it", written.warnings)

    def _save(self) -> Answer:
        document = self.check()
        if document is None:
            return self.show(422)
        return self._done("as before: you changed nothing") if self.changes_nothing(document) else self._write(document)

    def _write(self, document: Document) -> Answer:
        try:
            warnings = self.put(document)
        except PreconditionFailed as error:
            return self._clash(document, error.current)
        return self.show(422) if warnings is None else self._done("saved", warnings)

    def _clash(self, document: Document, current: str | None) -> Answer:
        self.place = replace(self.place, snapshot=self.place.repository.head())
        if current is None:
            self.version = ""
            sentence = f"Somebody deleted target '{self.name}' meanwhile. Save to create it again as it is here."
            return self.show(412, [sentence])
        clash = self.find_clash(self.version, current, document)
        if not clash.has_yours:
            return self._done("as you want it already: others wrote the same")
        return self._show_clash(clash, 412)

    def _show_clash(self, clash: Clash, status: int) -> Response:
        back, merge = self.addresses.back, self.addresses.merge
        edited = Edited("target", self.name or "", back, merge, self.reason, self.draft.editor)
        return clashes.show(edited, clash, request.form, status)

    def _done(self, what: str, warnings: Sequence[str] = ()) -> Redirect:
        flash(f"{self.addresses.title} is {what}.")
        for warning in warnings:
            flash(warning, "warning")
        return redirect(self.addresses.back, 303)

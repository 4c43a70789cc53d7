"""A request of an editor: what was typed, and which button was pressed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Redirect

from app.domain.errors import NotFound, PreconditionFailed
from app.domain.names import DEFAULT_TEMPLATE
from app.registry.configs import target_files, targets
from app.registry.configs.targets import Written
from app.web.admission import Place
from app.web.edit import conflict, documents, editor_page, previews, writing
from app.web.edit.form_draft import Document, FormDraft
from app.web.edit.previews import Preview
from app.web.edit.writing import Draft
from app.web.edit.yaml_draft import YamlDraft
from app.web.parts.typed import one_ending
from app.web.rendering import page

Answer = Response | Redirect
_DRAFTS: Mapping[str, Callable[[Document], Draft]] = {"form": FormDraft.of, "yaml": YamlDraft.of}


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
    contents: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def begin_new(cls, place: Place, query: Mapping[str, str]) -> "Editing":
        """Return the editor of a new target, as an address asks for it."""
        make = _DRAFTS.get(query.get("as", "form"), FormDraft.of)
        return cls(place, None, make({"template": query.get("template") or DEFAULT_TEMPLATE, "overrides": {}}))

    @classmethod
    def begin(cls, place: Place, name: str, query: Mapping[str, str]) -> "Editing":
        """Return the editor of a target, as an address asks for it."""
        make = _DRAFTS.get(query.get("as", "form"), FormDraft.of)
        target = targets.get(place.snapshot, name)
        document = documents.start(place.snapshot, target, query.get("on"))
        return cls(place, name, make(document), target.version)

    @classmethod
    def of_request(cls, place: Place, name: str | None) -> "Editing":
        """Return an editor as the form of this request has it."""
        form = MultiDict((key, one_ending(text)) for key, text in request.form.items(multi=True))
        is_yaml = form.get("editor") == "yaml"
        draft: Draft = YamlDraft(form.get("yaml", "")) if is_yaml else FormDraft.from_form(form)
        version = form.get("version", "")
        editing = cls(place, name, draft, version, form.get("target_name", "").strip(), form.get("reason", ""))
        began = None if name is None or not version else conflict.read_version(place, name, version)
        if began is not None:
            editing.contents = documents.contents(place.snapshot, began.files)
        return editing

    def check(self) -> Document | None:
        """Return the document; None where it has mistakes."""
        return writing.check(self.draft, self.contents, self.new_name if self.name is None else None)

    def preview(self) -> Preview | None:
        """Return what saving would do; None where there are mistakes. A new target needs no name for that."""
        document = writing.check(self.draft, self.contents)
        name = self.name or "preview"
        found = None if document is None else writing.preview(self.place, self.draft, name, document)
        if document is None or found is None:
            return None
        now = None if self.name is None else target_files.read(self.place.snapshot, self.name)
        return previews.of(document, *found, now)

    def show(self, status: int = 200, notices: Sequence[str] = ()) -> Response:
        """Show the editor with what was typed, and with the preview of it."""
        found = None if self.draft.mistakes else self.preview()
        return editor_page.show(self, found, status, notices)

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
        return self._create() if self.name is None else self._save(self.name)

    def inherited(self) -> Mapping[str, Any]:
        """Return the config of the template; nothing where there is no such template."""
        try:
            return target_files.read_template(self.place.snapshot, self.draft.template)[0]
        except NotFound:
            return {}

    def _switch(self, editor: str) -> Response:
        document = writing.check(self.draft, self.contents)
        if document is None:
            return self.show(422, ["Correct the mistakes first: the other editor shows what the text means."])
        self.draft = _DRAFTS[editor](document)
        return self.show()

    def _create(self) -> Answer:
        document = self.check()
        written = document and writing.create(self.place, self.draft, self.new_name, document, self.reason)
        if not written:
            return self.show(422)
        return saved(self.place, written, "created" if written.is_new else "there already, as you want it")

    def _save(self, name: str) -> Answer:
        document = self.check()
        if document is None:
            return self.show(422)
        now = target_files.read(self.place.snapshot, name)
        if now is not None and now.version == self.version and writing.changes_nothing(self.place, now, document):
            return _done(self.place, name, f"Target '{name}' is as before: you changed nothing.")
        try:
            written = writing.replace(self.place, self.draft, name, document, self.version, self.reason)
        except PreconditionFailed as error:
            return self._clash(name, document, error.current)
        return self.show(422) if written is None else saved(self.place, written, "saved")

    def _clash(self, name: str, document: Document, current: str | None) -> Answer:
        self.place = replace(self.place, snapshot=self.place.repository.head())
        if current is None:
            self.version = ""
            return self.show(
                412, [f"Somebody deleted target '{name}' meanwhile. Save to create it again as it is here."]
            )
        clash = conflict.find(self.place, name, self.version, current, document)
        if not clash.has_yours:
            return _done(self.place, name, f"Target '{name}' is as you want it already: others wrote the same.")
        return show_clash(name, clash, self.draft.editor, self.reason, 412)


def merge(place: Place, name: str) -> Answer:
    """Save both changes together, or show them in the editor, as the form of a conflict says."""
    form = request.form
    yours = conflict.read_yours(form.get("yours", ""))
    clash = conflict.find(place, name, form.get("base", ""), form.get("version", ""), yours)
    editor, reason = form.get("editor", "form"), form.get("reason", "")
    if clash.misses(form):
        return show_clash(name, clash, editor, reason, 422)
    document = clash.merged(form)
    draft = _DRAFTS.get(editor, FormDraft.of)(document)
    editing = Editing(place, name, draft, clash.theirs, "", reason)
    if form.get("do") == "look":
        return editing.show(notices=["Both changes are together here. Nothing is saved yet."])
    try:
        written = writing.replace(place, draft, name, document, clash.theirs, reason)
    except PreconditionFailed as error:
        return editing._clash(name, document, error.current)
    return editing.show(422) if written is None else saved(place, written, "saved")


def show_clash(name: str, clash: conflict.Clash, editor: str, reason: str, status: int) -> Response:
    """Show both versions side by side."""
    choices = request.form
    missed = clash.misses(choices) if status == 422 else ()
    values = {"target_name": name, "clash": clash, "editor": editor, "reason": reason}
    return page("edit/conflict.html", status, **values, choices=choices, missed=missed)


def saved(place: Place, written: Written, done: str) -> Redirect:
    """Lead to a target that was written, with what its writer should know."""
    name = written.target.name
    return _done(place, name, f"Target '{name}' is {done}.", written.warnings)


def _done(place: Place, name: str, message: str, warnings: Sequence[str] = ()) -> Redirect:
    flash(message)
    for warning in warnings:
        flash(warning, "warning")
    there = url_for("web.target.show", owner=place.owner, repo_name=place.repo_name, target_name=name)
    return redirect(there, 303)

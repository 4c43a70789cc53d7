"""A request of the editor of a prompt: what was typed, and which button was pressed."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.domain.errors import Conflict, NameNotPortable, PreconditionFailed
from app.domain.preconditions import ANY, UNCONDITIONAL, Precondition
from app.registry.configs import prompts
from app.registry.configs.prompts import Prompt
from app.web import admission
from app.web.admission import Place
from app.web.parts import clash as clashes
from app.web.parts.clash import Clash, Edited
from app.web.prompts import conflict
from app.web.prompts.cards import KINDS, ROLES, Card
from app.web.prompts.draft import Document, Draft
from app.web.rendering import page
from app.wire.context import InvalidHeader
from storage.errors import NameTaken, TooLarge

Answer = Response | Redirect
_MOST_MESSAGES = 200
_LARGEST = 256 * 1024  # bytes of a file


@dataclass
class Editing:
    """An editor of one prompt. `name` is None for a new one, whose name is typed.

    `version` is the one that the editor began with; empty for a new prompt, and for one that is gone by now.
    """

    place: Place
    name: str | None
    draft: Draft
    version: str = ""
    new_name: str = ""
    reason: str = ""

    @classmethod
    def begin(cls, place: Place, name: str) -> "Editing":
        """Return the editor of a prompt."""
        prompt = prompts.get(place.snapshot, name)
        return cls(place, name, Draft.of(prompt.document()), prompt.version)

    @classmethod
    def begin_new(cls, place: Place) -> "Editing":
        """Return the editor of a new prompt."""
        return cls(place, None, Draft([Card("system")]))

    @classmethod
    def of_request(cls, place: Place, name: str | None) -> "Editing":
        """Return an editor as the form of this request has it."""
        form = request.form
        draft = Draft.from_form(form, form.getlist("message"))
        names = (form.get("version", ""), form.get("prompt_name", "").strip(), form.get("reason", ""))
        return cls(place, name, draft, *names)

    def show(self, status: int = 200, notices: Sequence[str] = ()) -> Response:
        """Show the editor with what was typed."""
        return page("prompts/edit.html", status, editing=self, notices=notices, roles=ROLES, kinds=KINDS)

    def act(self) -> Answer:
        """Do what the pressed button says."""
        pressed = request.form.get("do", "save")
        if pressed.startswith("message."):
            self.draft.act(pressed.removeprefix("message."))
            return self.show()
        return self._create() if self.name is None else self._save(self.name)

    def _create(self) -> Answer:
        document = self.draft.check(None, self.new_name)
        if document is None:
            return self.show(422)
        try:
            origin = admission.origin(self.reason)
            prompt, is_new = prompts.create(
                self.place.repository, origin, _asked(self.new_name, document), UNCONDITIONAL
            )
        except (Conflict, NameNotPortable, NameTaken, InvalidHeader, TooLarge) as error:
            return self.refused(error)
        word = "created" if is_new else "there already, as you want it"
        return done(self.place, prompt.name, f"Prompt '{prompt.name}' is {word}.")

    def _save(self, name: str) -> Answer:
        before = conflict.read_version(self.place, name, self.version) if self.version else None
        document = self.draft.check(before, None if self.version else name)
        if document is None:
            return self.show(422)
        try:
            return save(self.place, name, document, self.version, self.reason)
        except PreconditionFailed as error:
            return self.clash(name, document, error.current)
        except (NameNotPortable, InvalidHeader, TooLarge) as error:
            return self.refused(error)

    def clash(self, name: str, document: Document, current: str | None) -> Answer:
        """Show both versions side by side; where the prompt is gone, the editor again."""
        if current is not None:
            found = conflict.find(self.place, name, self.version, current, document)
            return show_clash(self.place, name, found, self.reason, 412)
        self.version = ""
        return self.show(412, [f"Somebody deleted prompt '{name}' meanwhile. Save it, and it is made again."])

    def refused(self, error: Exception) -> Response:
        """Show the editor again, with what is wrong."""
        field = "reason" if isinstance(error, InvalidHeader) else ""
        if isinstance(error, Conflict | NameNotPortable | NameTaken):
            field = "prompt_name"
        self.draft.mistakes.setdefault(field, []).append(str(error).rstrip("."))
        return self.show(409 if isinstance(error, Conflict | NameTaken) else 422)


def is_too_long(prompt: Prompt, size: int) -> bool:
    """Tell whether a prompt is too long for a form."""
    return len(prompt.messages) > _MOST_MESSAGES or size > _LARGEST


def merge(place: Place, name: str) -> Answer:
    """Save both changes together, as the page of a conflict says, or go on with them in the editor."""
    form = request.form
    yours = conflict.read_yours(form.get("yours", ""))
    clash = conflict.find(place, name, form.get("base", ""), form.get("version", ""), yours)
    if clash.misses(form):
        return show_clash(place, name, clash, form.get("reason", ""), 422)
    document = clash.merged(form)
    editing = Editing(place, name, Draft.of(document), clash.theirs, reason=form.get("reason", ""))
    if form.get("do") == "look":
        return editing.show()
    try:
        return save(place, name, document, clash.theirs, editing.reason)
    except PreconditionFailed as error:
        return editing.clash(name, document, error.current)
    except (InvalidHeader, TooLarge) as error:
        return editing.refused(error)


def save(place: Place, name: str, document: Document, version: str, reason: str) -> Answer:
    """Write a prompt that is at a version, and show it; without a version there may be no prompt."""
    condition = Precondition(frozenset([version])) if version else Precondition(none_match=frozenset([ANY]))
    written = prompts.put(place.repository, admission.origin(reason), _asked(name, document), condition)
    word = "as before: you changed nothing" if written.version == version else "saved"
    return done(place, name, f"Prompt '{name}' is {word}.")


def show_clash(place: Place, name: str, clash: Clash, reason: str, status: int) -> Response:
    """Show both versions side by side."""
    back, merge = _address("show", place, name), _address("merge", place, name)
    return clashes.show(Edited("prompt", name, back, merge, reason), clash, request.form, status)


def done(place: Place, name: str, message: str) -> Redirect:
    """Say what was done, and go to the prompt."""
    flash(message)
    return redirect(_address("show", place, name), 303)


def _address(endpoint: str, place: Place, name: str) -> str:
    return url_for(f"web.prompts.{endpoint}", owner=place.owner, repo_name=place.repo_name, prompt_name=name)


def _asked(name: str, document: Document) -> Prompt:
    return Prompt(name, document["messages"], document.get("tools"))

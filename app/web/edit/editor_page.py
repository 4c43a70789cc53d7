"""The page of an editor: its fields, what they inherit, and what the person should know before saving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response

from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import CONFIG_KINDS, GENERATOR_KINDS
from app.registry.configs import prompts, rebase, target_files
from app.registry.configs.mentions import PROMPT_FIELDS
from app.schemas.targets import GENERATOR_TYPES, GeneratorInputSchema, TargetConfigSchema
from app.web.edit import kinds, previews
from app.web.edit.cards import CONTENT, Card
from app.web.edit.form_draft import MOST_CARDS, FormDraft, Row
from app.web.edit.previews import Preview
from app.web.rendering import page
from app.wire import allowance

if TYPE_CHECKING:
    from app.web.edit.editing import Editing

MOST_OFFERED = 200  # names in a list of suggestions
_LONG = ("questions", CONTENT)  # fields of a generator that need several lines


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form: `kind` says how it is typed, `inherited` what the template has, if it has anything."""

    name: str
    kind: str
    hint: str
    row: Row
    inherited: Any
    is_inherited: bool


@dataclass(frozen=True, slots=True)
class CardField:
    """A field of a generator's card."""

    name: str
    kind: str
    hint: str
    text: str
    is_empty_text: bool


def show(editing: "Editing", preview: Preview | None, status: int, notices: Sequence[str]) -> Response:
    """Show an editor."""
    snapshot, name, draft = editing.place.snapshot, editing.name, editing.draft
    inherited = editing.inherited()
    target = None if name is None or name == DEFAULT_TEMPLATE else target_files.read(snapshot, name)
    return page(
        "edit/editor.html",
        status,
        editing=editing,
        addresses=editing.addresses,
        draft=draft,
        preview=preview,
        notices=notices,
        fields=_fields(draft, inherited) if isinstance(draft, FormDraft) else [],
        cards=[(card, _card_fields(card)) for card in draft.cards] if isinstance(draft, FormDraft) else [],
        types=GENERATOR_TYPES,
        most_cards=MOST_CARDS,
        drift=None if target is None else rebase.drift(snapshot, target.name, work=allowance.work()),
        affected=None if target is None else previews.affected(editing.place, target.name),
        templates=[DEFAULT_TEMPLATE, *target_files.FOLDER.names(snapshot)[:MOST_OFFERED]],
        prompts=prompts.FOLDER.names(snapshot)[:MOST_OFFERED],
        messages=messages(editing, preview),
    )


def show_preview(editing: "Editing") -> Response:
    """Show the preview of what was typed, without the rest of the page."""
    found = editing.preview()
    return page("edit/preview_alone.html", preview=found, messages=messages(editing, found))


def messages(editing: "Editing", preview: Preview | None) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return what the server says of each field: `mistake` or `warning`, and a sentence."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, told in (("mistake", editing.draft.mistakes), ("warning", preview.warnings if preview else {})):
        for name, sentences in told.items():
            place = name if kind == "mistake" or editing.draft.editor == "form" else "yaml"
            whole = "" if place == name else f"{name}: "
            found.setdefault(place, []).extend((kind, whole + sentence) for sentence in sentences)
    return found


def _fields(draft: FormDraft, inherited: Mapping[str, Any]) -> list[Field]:
    described = TargetConfigSchema().fields
    return [
        Field(
            name,
            "prompt"
            if name in PROMPT_FIELDS
            else "cards"
            if name == "generators"
            else _kind(kind, draft.rows[name].text),
            described[name].metadata["description"].replace("`", ""),
            draft.rows[name],
            inherited.get(name),
            name in inherited,
        )
        for name, kind in CONFIG_KINDS.items()
    ]


def _card_fields(card: Card) -> list[CardField]:
    described = GeneratorInputSchema().fields
    return [
        CardField(
            name,
            "long" if name in _LONG else _kind(GENERATOR_KINDS.get(name, str), card.texts.get(name, "")),
            described[name].metadata["description"].replace("`", ""),
            card.texts.get(name, ""),
            name in card.empty,
        )
        for name in card.shown
    ]


def _kind(kind: Any, text: str) -> str:
    """Return how a field is typed: `number`, `flag`, `json`, `text`, or `long` for a text of several lines."""
    if kind in kinds.NUMBERS:
        return "number"
    if kind is bool:
        return "flag"
    if kind in kinds.JSON:
        return "json"
    return "long" if "\n" in text or "\r" in text else "text"

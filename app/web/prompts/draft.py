"""A prompt as a person types it: its messages as cards, and its tools as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.registry.configs.prompts import Prompt
from app.schemas.base import InvalidRequest, Location, Mistake, load
from app.schemas.fields import new_names_up_to
from app.schemas.prompts import PromptCreateSchema, PromptPutSchema
from app.web.parts.typed import one_ending
from app.web.prompts.cards import Card, Known, as_json, parse
from app.wire import context

Document = Mapping[str, Any]

_DIGITS = 9  # of a place; no prompt has so many messages


@dataclass
class Draft:
    """The cards and the tools, and the mistakes that belong to no card, by field: the empty name is the whole."""

    cards: list[Card]
    tools: str = ""
    mistakes: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document) -> "Draft":
        """Return the draft of a prompt."""
        tools = document.get("tools")
        return cls([Card.of(message) for message in document["messages"]], "" if tools is None else as_json(tools))

    @classmethod
    def from_form(cls, form: Mapping[str, str], numbers: list[str]) -> "Draft":
        """Return a draft as a form has it; `numbers` are those of the cards, in their order."""
        return cls([Card.from_form(form, number) for number in numbers], one_ending(form.get("tools", "")))

    def act(self, pressed: str) -> None:
        """Do what a button of a card says: `add`, or `up`, `down` or `remove` with the place of the card."""
        what, _, place = pressed.partition(".")
        at = int(place) if place.isdecimal() and len(place) < _DIGITS else -1
        if what == "add":
            self.cards.append(Card())
        elif not 0 <= at < len(self.cards):
            return
        elif what == "remove":
            del self.cards[at]
        elif what in ("up", "down"):
            to = at - 1 if what == "up" else at + 1
            self.cards.insert(max(0, to), self.cards.pop(at))

    def check(self, before: Prompt | None, new_name: str | None = None) -> Document | None:
        """Return the document; None where there are mistakes, which stand at the fields.

        `before` is the prompt that the editor began with, `new_name` the name of a new prompt.
        """
        known = Known(before.messages if before else ())
        document: dict[str, Any] = {"messages": [card.read(known, at) for at, card in enumerate(self.cards)]}
        if self.tools.strip():
            document["tools"], mistakes = parse(self.tools, "The tools")
            if mistakes:
                self.mistakes["tools"] = mistakes
        if self.has_mistakes:
            return None
        self._hold_to_schema(document if new_name is None else {**document, "prompt_name": new_name})
        return None if self.has_mistakes else document

    @property
    def has_mistakes(self) -> bool:
        """Tell whether anything is wrong."""
        return bool(self.mistakes) or any(card.mistakes for card in self.cards)

    def _hold_to_schema(self, document: Document) -> None:
        schema = PromptCreateSchema() if "prompt_name" in document else PromptPutSchema()
        try:
            with new_names_up_to(context.services().settings.max_name):
                load(schema, document, ())
        except InvalidRequest as error:
            for location, mistake in error.told:
                self._put(location, mistake)

    def _put(self, location: Location, mistake: Mistake) -> None:
        """Put a mistake at the field that it is about."""
        name, *rest = location or ("",)
        mistakes = self.mistakes
        if name == "messages" and rest and isinstance(rest[0], int):
            mistakes = self.cards[rest[0]].mistakes
            name, *rest = rest[1:] or ("role",)
            name = name if name in ("role", "content") else "more"
        elif name not in ("prompt_name", "tools"):
            name = ""
        place = ".".join(str(part) for part in rest)
        mistakes.setdefault(str(name), []).append(f"{place}: {mistake.message}" if place else mistake.message)

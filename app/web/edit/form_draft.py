"""What a person types into the form of a target: a text for each field, and where its value should come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.domain.resolution import CONFIG_KINDS
from app.schemas.base import Location
from app.schemas.targets import GENERATOR_TYPES
from app.web.edit import kinds
from app.web.edit.began import Began
from app.web.edit.cards import Card
from app.web.edit.kinds import InvalidText

MOST_CARDS = 50  # generators that the form shows as cards; a page of a thousand would be megabytes
OWN, TEMPLATE, NONE = "own", "template", "none"
_UNDECIDED = "You typed a value here, and chose the template's. Choose 'set here', or empty the field"

Document = dict[str, Any]  # `template` and `overrides`, as PUT takes them


def has_room(document: Document) -> bool:
    """Tell whether the form has room for the generators of a document."""
    return len(document["overrides"].get("generators") or ()) <= MOST_CARDS


@dataclass
class Row:
    """A field as it is typed: `how` says whether it is set here, left to the template, or removed."""

    how: str = TEMPLATE
    text: str = ""


@dataclass
class FormDraft:
    """A target as it is typed into the form, and the mistakes in it by field."""

    template: str
    rows: dict[str, Row]
    cards: list[Card]
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    editor: str = "form"

    @classmethod
    def of(cls, document: Document) -> "FormDraft":
        """Return the form of a document."""
        overrides = document["overrides"]
        rows = {name: _row(name, overrides) for name in CONFIG_KINDS}
        return cls(document["template"], rows, [Card.of(each) for each in overrides.get("generators") or ()])

    @classmethod
    def from_form(cls, form: "MultiDict[str, str]") -> "FormDraft":
        """Return what was typed into a form."""
        rows = {name: Row(form.get(f"how.{name}", TEMPLATE), form.get(f"value.{name}", "")) for name in CONFIG_KINDS}
        cards = [Card.from_form(form, number) for number in form.getlist("card")]
        return cls(form.get("template", "").strip(), rows, cards)

    def read(self, began: Began) -> Document | None:
        """Return the document, for the schema to check; None where a text is not even a value of its kind."""
        overrides: dict[str, Any] = {}
        for name, row in self.rows.items():
            if row.how == NONE:
                overrides[name] = None
            elif row.how == OWN:
                overrides[name] = self._own(name, row.text, began)
            elif row.text.strip() or (name == "generators" and self.cards):
                self.mistakes[name] = [_UNDECIDED]
        return None if self.mistakes else {"template": self.template, "overrides": overrides}

    def put(self, location: Location, message: str) -> None:
        """Put a mistake at the field that its place names."""
        keys = [str(key) for key in location if key not in ("body", "overrides", "config")]
        known = keys[: 3 if keys[:1] == ["generators"] else 1]
        rest = ".".join(keys[len(known) :])
        self.mistakes.setdefault(".".join(known), []).append(f"{rest}: {message}" if rest else message)

    def act(self, action: str, form: Mapping[str, str], inherited: Sequence[Any]) -> None:
        """Do what a button of the cards says: add, copy, or such as `up.1`."""
        name, _, number = action.partition(".")
        at = int(number) if number.isdecimal() and len(number) < 9 else -1
        if name == "add":
            self.cards.append(Card(form.get("card.type", GENERATOR_TYPES[0])))
        elif name == "copy" and len(inherited) <= MOST_CARDS:
            self.cards += [Card.of(generator) for generator in inherited]
        elif name == "remove" and 0 <= at < len(self.cards):
            del self.cards[at]
        elif name in ("up", "down"):
            self._swap(at - 1 if name == "up" else at)
        self.rows["generators"].how = OWN

    def _swap(self, at: int) -> None:
        if 0 <= at < len(self.cards) - 1:
            self.cards[at : at + 2] = self.cards[at + 1], self.cards[at]

    def _own(self, name: str, text: str, began: Began) -> Any:
        if name == "generators":
            return self._generators(began)
        try:
            return began.value(name, kinds.read(CONFIG_KINDS[name], text))
        except InvalidText as error:
            self.mistakes[name] = list(error.sentences)
            return None

    def _generators(self, began: Began) -> list[dict[str, Any]]:
        found = []
        for index, card in enumerate(self.cards):
            generator, mistakes = card.read(began.contents)
            found.append(began.generator(index, generator))
            self.mistakes |= {f"generators.{index}.{name}": told for name, told in mistakes.items()}
        return found


def _row(name: str, overrides: Mapping[str, Any]) -> Row:
    if name not in overrides:
        return Row()
    value = overrides[name]
    if value is None:
        return Row(NONE)
    return Row(OWN, "" if name == "generators" else kinds.write(value))

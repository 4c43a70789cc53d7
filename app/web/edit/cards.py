"""Generators as cards: each has the fields that its type uses, and those that it has besides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.resolution import GENERATOR_KINDS
from app.web.edit import kinds
from app.web.edit.kinds import InvalidText
from app.web.parts.typed import one_ending

CONTENT = "template_content"
FIELDS = tuple(name for name in (*GENERATOR_KINDS, CONTENT) if name != "type")
# The fields that runs look at, by type. A card of another type, and a field that no type lists, has no such bounds.
_DRAWN = ("numq", "seed", "rollout_with_conditioned")
_ASKED = ("model", "template_path", CONTENT, "numq", "max_tokens", "temperature", "seed", "rollout_with_conditioned")
USED: Mapping[str, tuple[str, ...]] = {
    "oneshot_qs": _ASKED,
    "hardcoded": ("numq", "questions", "rollout_with_conditioned"),
    "persona": _DRAWN,
    "from_dataset": ("dataset", *_DRAWN),
    "custom": _ASKED,
}
_KNOWN = {name for names in USED.values() for name in names}


@dataclass
class Card:
    """A generator as a person types it.

    `texts` are by field. `empty` are the fields whose value is the empty text: else an empty text is no value.
    `is_json` says that the questions are a JSON list, and not one on each line.
    """

    type: str
    texts: dict[str, str] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)
    is_json: bool = False

    @classmethod
    def of(cls, generator: Mapping[str, Any]) -> "Card":
        """Return the card of a generator."""
        card = cls(generator["type"] if isinstance(generator.get("type"), str) else "")
        for name in FIELDS:
            value = generator.get(name)
            if value is None:
                continue
            if name == "questions" and kinds.are_lines(value):
                card.texts[name] = "\n".join(value)
                continue
            card.is_json |= name == "questions"
            card.texts[name] = kinds.write(value)
            if value == "":
                card.empty.add(name)
        return card

    @classmethod
    def from_form(cls, form: Mapping[str, str], number: str) -> "Card":
        """Return a card as a form has it."""
        start = f"generators.{number}."
        texts = {name: form[start + name] for name in FIELDS if start + name in form}
        empty = {name for name in texts if f"{start}{name}.empty" in form}
        return cls(form.get(f"{start}type", ""), texts, empty, form.get(f"{start}questions.as") == "json")

    @property
    def shown(self) -> list[str]:
        """The fields to show: those of the type, those with a text, and those that no type is known to use."""
        used = USED.get(self.type, FIELDS)
        return [
            name for name in FIELDS if name in used or self.texts.get(name) or name in self.empty or name not in _KNOWN
        ]

    def read(self, contents: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """Return the generator, and the mistakes in it by field.

        `contents` are question templates as they were before, by path. A browser changes how lines end, so that a
        text which differs in that alone is the one before.
        """
        found: dict[str, Any] = {"type": self.type}
        mistakes: dict[str, list[str]] = {}
        for name in FIELDS:
            text = self.texts.get(name, "")
            if not text:
                if name in self.empty:
                    found[name] = ""
                continue
            try:
                found[name] = self._value(name, text)
            except InvalidText as error:
                mistakes[name] = list(error.sentences)
        before = contents.get(found.get("template_path", ""))
        if before is not None and one_ending(before) == found.get(CONTENT):
            found[CONTENT] = before
        return found, mistakes

    def _value(self, name: str, text: str) -> Any:
        if name == "questions" and not self.is_json:
            return kinds.read_lines(text)
        return kinds.read(GENERATOR_KINDS.get(name, str), text)

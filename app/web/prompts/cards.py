"""Messages as cards: a role, a content, and the fields that a message has besides."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.schemas.base import InvalidRequest
from app.web.parts.typed import as_before, one_ending
from app.wire import json_text

ROLES = ("system", "user", "assistant", "tool")
# How a content is typed: as text, as JSON, or not at all.
KINDS = {"text": "text", "json": "a JSON list of parts", "null": "null", "absent": "no content"}


@dataclass(frozen=True, slots=True)
class Known:
    """The messages that an editor began with. What was not changed keeps its line endings, and the order of fields."""

    messages: Sequence[Mapping[str, Any]] = ()

    def text(self, at: int, typed: str) -> str:
        """Return the text that was there before, where one typed at a place differs in how its lines end alone."""
        here = [message.get("content") for message in self.messages[at : at + 1]]
        return as_before(typed, here[0] if here else None, (message.get("content") for message in self.messages))

    def message(self, at: int, typed: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the message that was there before, where one typed at a place says the same."""
        wanted = json.dumps(typed, sort_keys=True)
        before = (*self.messages[at : at + 1], *self.messages)
        return next((each for each in before if json.dumps(each, sort_keys=True) == wanted), typed)


@dataclass
class Card:
    """A message as a person types it. `more` is a JSON object of its other fields, or empty."""

    role: str = "user"
    kind: str = "text"
    content: str = ""
    more: str = ""
    mistakes: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "Card":
        """Return the card of a message."""
        rest = {name: value for name, value in message.items() if name not in ("role", "content")}
        more, role, content = (as_json(rest) if rest else ""), str(message.get("role", "")), message.get("content")
        if "content" not in message:
            return cls(role, "absent", more=more)
        if content is None:
            return cls(role, "null", more=more)
        if isinstance(content, str):
            return cls(role, "text", content, more)
        return cls(role, "json", as_json(content), more)

    @classmethod
    def from_form(cls, form: Mapping[str, str], number: str) -> "Card":
        """Return a card as a form has it."""
        names = ("role", "kind", "content", "more")
        role, kind, content, more = (one_ending(form.get(f"messages.{number}.{name}", "")) for name in names)
        return cls(role, kind, content, more)

    def read(self, known: Known, at: int) -> Mapping[str, Any]:
        """Return the message, which is at a place. What is no JSON is a mistake of the card, and left out."""
        message: dict[str, Any] = {"role": self.role}
        if self.kind == "text":
            message["content"] = known.text(at, self.content)
        elif self.kind == "null":
            message["content"] = None
        elif self.kind == "json":
            message["content"] = self._parse("content", "The content")
        more = self._parse("more", "The fields") if self.more.strip() else {}
        if isinstance(more, dict) and not more.keys() & {"role", "content"}:
            return known.message(at, {**message, **more})
        if "more" not in self.mistakes:
            self.mistakes["more"] = ["This must be a JSON object, without role and content"]
        return message

    def _parse(self, name: str, what: str) -> Any:
        found, mistakes = parse(getattr(self, name), what)
        if mistakes:
            self.mistakes[name] = mistakes
        return found


def as_json(value: Any) -> str:
    """Return a value as a person reads and types it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def parse(text: str, what: str) -> tuple[Any, list[str]]:
    """Return the value of JSON that somebody typed, or None and what is wrong with it."""
    try:
        return json_text.parse(text.encode(errors="surrogatepass"), what), []
    except InvalidRequest as error:
        return None, [mistake.message for _, mistake in error.told]

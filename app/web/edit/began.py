"""What an editor of a target began with, for texts whose lines a browser ended otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.web.parts.typed import as_before


@dataclass(frozen=True, slots=True)
class Began:
    """A config, and the question templates of its target by path."""

    config: Mapping[str, Any] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str, value: Any) -> Any:
        """Return the value of a field: a text as it was, where it differs in how its lines end alone."""
        return as_before(value, self.config.get(name), ()) if isinstance(value, str) else value

    def generator(self, at: int, generator: Mapping[str, Any]) -> dict[str, Any]:
        """Return the generator at a place, with its texts as they were where these differ in the ends of lines alone.

        Where generators were moved, the text of another one is taken.
        """
        before = self.config.get("generators") or []
        here = before[at] if at < len(before) else {}
        return {
            name: as_before(value, here.get(name), (each.get(name) for each in before))
            if isinstance(value, str)
            else value
            for name, value in generator.items()
        }

"""What a person types into the YAML editor: the template and the overrides of a target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain import canonical_yaml, typed_yaml
from app.domain.typed_yaml import Lines, Unreadable
from app.schemas.base import Location
from app.web.edit import kinds
from app.web.edit.began import Began
from app.web.edit.cards import CONTENT
from app.web.edit.form_draft import Document
from app.web.edit.kinds import InvalidText
from app.web.parts.typed import one_ending

FIELD = "yaml"


@dataclass
class YamlDraft:
    """A target as YAML, and the mistakes in it, each with its line.

    `is_for_many` says that the form was asked for, and has no room for the generators.
    """

    text: str
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    editor: str = "yaml"
    is_for_many: bool = False
    _lines: Lines = field(default_factory=lambda: Lines(1))

    @classmethod
    def of(cls, document: Document, is_for_many: bool = False) -> "YamlDraft":
        """Return the YAML of a document, without comments."""
        return cls(canonical_yaml.dump(document).decode(), is_for_many=is_for_many)

    @property
    def template(self) -> str:
        """The template that the text names; empty where it names none."""
        try:
            document, _ = typed_yaml.read(self.text)
        except Unreadable:
            return ""
        found = document.get("template") if isinstance(document, dict) else None
        return found if isinstance(found, str) else ""

    def read(self, began: Began) -> Any:
        """Return the document, for the schema to check; None where the text is not YAML of JSON data."""
        try:
            document, self._lines = typed_yaml.read(self.text)
            kinds.read_json(kinds.write(document))  # the bounds of a body: depth, items and values
        except Unreadable as error:
            self.mistakes[FIELD] = [str(error)]
            return None
        except InvalidText as error:
            self.mistakes[FIELD] = list(error.sentences)
            return None
        _keep_endings(document, began.contents)
        return document

    def put(self, location: Location, message: str) -> None:
        """Put a mistake at the text, with the line of the value that its place names."""
        keys = tuple(key for key in location if key != "body")
        if keys == ("target_name",):
            self.mistakes.setdefault("target_name", []).append(message)
            return
        place = ".".join(map(str, keys))
        told = f"{place}: {message}" if place else message
        self.mistakes.setdefault(FIELD, []).append(f"Line {self._lines.find(keys)}: {told}")


def _keep_endings(document: Any, contents: Mapping[str, str]) -> None:
    """Take question templates as they were where only the ends of their lines differ, as a browser changes them."""
    overrides = document.get("overrides") if isinstance(document, dict) else None
    generators = overrides.get("generators") if isinstance(overrides, dict) else None
    for generator in generators if isinstance(generators, list) else ():
        if isinstance(generator, dict):
            path = generator.get("template_path")
            before = contents.get(path) if isinstance(path, str) else None
            if before is not None and one_ending(before) == generator.get(CONTENT):
                generator[CONTENT] = before

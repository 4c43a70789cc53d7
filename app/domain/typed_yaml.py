"""YAML that a person types: JSON data and nothing else, and each mistake with its line and column."""

from dataclasses import dataclass, field
from typing import Any

import yaml

from app.domain import yaml_events

_AS_WRITTEN = "Write the value itself: Bakehouse keeps no anchors, aliases and tags"
_NO_JSON = "This means a time, a set, or another thing that JSON does not have. Put it in quotes"


class Unreadable(ValueError):
    """A text is not YAML, or more than JSON data. The line and the column count from 1."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"Line {line}, column {column}: {message}")
        self.line = line
        self.column = column


@dataclass(slots=True)
class Lines:
    """The line that a value begins in, and the lines of the values within, by name or position."""

    line: int
    within: dict[str | int, "Lines"] = field(default_factory=dict)

    def find(self, keys: tuple[str | int, ...]) -> int:
        """Return the line of the value at a place; where there is none, that of the nearest one around it."""
        found = self
        for key in keys:
            if key not in found.within:
                break
            found = found.within[key]
        return found.line


@dataclass(slots=True)
class _Open:
    """A list or object that is not at its end, with the name of the value that comes next in an object."""

    value: Any
    lines: Lines
    mark: Any = None  # where it begins
    name: str | None = None
    name_line: int = 1


def read(text: str) -> tuple[Any, Lines]:
    """Return the value of a document, and the lines in it; Unreadable if it is not JSON data written as YAML."""
    parser = yaml.CSafeLoader(text)
    around = [_Open([], Lines(1))]
    try:
        return _read(parser, around)
    except yaml.MarkedYAMLError as error:
        raise _unreadable(_mark(error, around[-1], len(text.rstrip())), _sentence(error)) from None
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise Unreadable(line, column, "This character cannot be in YAML") from None
    finally:
        parser.dispose()


def _read(parser: yaml.CSafeLoader, around: list[_Open]) -> tuple[Any, Lines]:
    """Read a document; `around` are the lists and objects that are open, the outermost for the whole text."""
    whole = around[0]
    event: Any = parser.get_event()
    while not isinstance(event, yaml.StreamEndEvent):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or _has_tag(event):
            raise _unreadable(event.start_mark, _AS_WRITTEN)
        if isinstance(event, yaml.ScalarEvent):
            _add(around[-1], _scalar(event), event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if len(around) > yaml_events.DEEPEST:
                raise _unreadable(event.start_mark, f"This is nested more than {yaml_events.DEEPEST} levels deep")
            value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            around.append(_Open(value, _add(around[-1], value, event), event.start_mark))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            around.pop()
        elif isinstance(event, yaml.DocumentStartEvent) and whole.value:
            raise _unreadable(event.start_mark, "A second document begins here, and there may be one")
        event = parser.get_event()
    if not whole.value:
        raise Unreadable(1, 1, "There is nothing")
    return whole.value[0], whole.lines.within[0]


def _add(into: _Open, value: Any, event: Any) -> Lines:
    """Put a value into the list or object around it, or take it as the name of the next one."""
    lines = Lines(event.start_mark.line + 1)
    if isinstance(into.value, list):
        into.lines.within[len(into.value)] = lines
        into.value.append(value)
    elif into.name is not None:
        into.value[into.name] = value
        into.lines.within[into.name] = lines
        lines.line = into.name_line
        into.name = None
    elif not isinstance(value, str):
        raise _unreadable(event.start_mark, "The name of a field must be a text. Put it in quotes")
    elif value in into.value:
        raise _unreadable(event.start_mark, f"The field '{value[:100]}' is there twice")
    else:
        into.name, into.name_line = value, lines.line
    return lines


def _scalar(event: Any) -> Any:
    if not event.implicit[0]:
        return event.value
    try:
        return yaml_events.typed(event.value)
    except yaml_events.NotSimple:
        raise _unreadable(event.start_mark, _NO_JSON) from None


def _has_tag(event: Any) -> bool:
    """Tell whether a value has a tag; that of texts says nothing new, and canonical YAML has it in a few places."""
    tag = getattr(event, "tag", None)
    return tag is not None and not (isinstance(event, yaml.ScalarEvent) and tag == yaml_events.TEXT)


def _sentence(error: yaml.MarkedYAMLError) -> str:
    parts = [error.context, error.problem]
    return f"This is not YAML: {', '.join(part for part in parts if part)}"


def _mark(error: yaml.MarkedYAMLError, innermost: _Open, end: int) -> Any:
    """Return where a mistake is: of what has no end the beginning, since all that is known of it is the text's end."""
    if error.problem_mark is None or error.problem_mark.index < end:
        return error.problem_mark or error.context_mark
    if error.context_mark is not None and error.context_mark.index < end:
        return error.context_mark
    return innermost.mark or error.problem_mark


def _unreadable(mark: Any, message: str) -> Unreadable:
    return Unreadable(mark.line + 1, mark.column + 1, message)

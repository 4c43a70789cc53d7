"""The form of a sweep: a template, fields with a list of values each, and a pattern for the names."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.domain import field_paths
from app.domain.field_paths import UnknownField
from app.domain.names import DEFAULT_TEMPLATE
from app.web.edit import kinds
from app.web.edit.kinds import InvalidText
from app.web.parts.typed import one_ending

MOST = 1000  # targets of one sweep
_MOST_AXES = 10
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_PART = 40  # characters that a value gives to a name

Keys = tuple[str, ...]
Combination = tuple[tuple[Keys, Any], ...]  # a value for each field


@dataclass
class Axis:
    """A field and its values, as they are typed: one on each line."""

    field: str = ""
    text: str = ""

    def read(self) -> tuple[Keys, list[Any]]:
        """Return the keys of the field and its values. UnknownField or InvalidText says what is wrong."""
        path = field_paths.read(self.field)
        if path.keys[0] == "generators" and len(path.keys) > 1:
            raise UnknownField("A list is replaced as a whole: give generators itself, one JSON list on each line")
        return path.keys, [_value(path.kind, line) for line in kinds.read_lines(self.text)]


@dataclass
class SweepForm:
    """A sweep as it is typed, and the mistakes in it by field of the form."""

    template: str = DEFAULT_TEMPLATE
    pattern: str = ""
    axes: list[Axis] = field(default_factory=lambda: [Axis()])
    is_zip: bool = False
    mistakes: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def from_form(cls, form: "MultiDict[str, str]") -> "SweepForm":
        """Return what was typed into a form."""
        texts = [one_ending(text) for text in form.getlist("values")]
        axes = [Axis(name.strip(), text) for name, text in zip(form.getlist("field"), texts, strict=False)]
        return cls(form.get("template", "").strip(), form.get("pattern", "").strip(), axes, form.get("how") == "zip")

    def act(self, pressed: str) -> None:
        """Add a field, or remove one, as a button says: `add`, or such as `remove.1`."""
        name, _, number = pressed.partition(".")
        if name == "add" and len(self.axes) < _MOST_AXES:
            self.axes.append(Axis())
        elif name == "remove" and number.isdecimal() and int(number[:4]) < len(self.axes) > 1:
            del self.axes[int(number[:4])]

    def combinations(self) -> Sequence[Combination]:
        """Return what each target gets; none where there are mistakes."""
        axes = self._read_axes()
        for one, other in itertools.permutations([keys for keys, _ in axes], 2):
            if one == other[: len(one)]:
                self._miss("axes", f"{'.'.join(one)} and {'.'.join(other)} set the same field. Leave one of them out")
                break
        sizes = [len(values) for _, values in axes]
        if self.is_zip and len(set(sizes)) > 1:
            self._miss("axes", f"Line by line, each field needs as many values: they have {', '.join(map(str, sizes))}")
        count = _count(sizes, self.is_zip)
        if count > MOST:
            self._miss("axes", f"These are {count} targets, and one sweep makes {MOST} at most. Leave values out")
        if self.mistakes:
            return []
        keys = [key for key, _ in axes]
        rows = (
            zip(*(values for _, values in axes), strict=True)
            if self.is_zip
            else itertools.product(*(values for _, values in axes))
        )
        return [tuple(zip(keys, row, strict=True)) for row in rows]

    def name(self, number: int, combination: Combination) -> str:
        """Return the name of a target: the pattern with its values, and its number from 1 for `{n}`."""
        known = {".".join(keys): _part(value) for keys, value in combination}
        known |= {"n": str(number), "template": self.template}

        def fill(match: re.Match[str]) -> str:
            return known.get(match[1], match[0])

        return _PLACEHOLDER.sub(fill, self.pattern)

    def check_pattern(self, combinations: Sequence[Combination]) -> None:
        """Put at the pattern what is wrong with it."""
        known = {"n", "template", *(".".join(keys) for keys, _ in (combinations[0] if combinations else ()))}
        unknown = [name for name in _PLACEHOLDER.findall(self.pattern) if name not in known]
        if not self.pattern:
            self._miss("pattern", "Give the names a pattern")
        elif unknown:
            there = ", ".join(f"{{{name}}}" for name in sorted(known))
            self._miss("pattern", f"There is no field {{{unknown[0]}}} in this sweep; there are {there}")

    def _read_axes(self) -> list[tuple[Keys, list[Any]]]:
        found = []
        for number, axis in enumerate(self.axes):
            try:
                keys, values = axis.read()
            except UnknownField as error:
                self._miss(f"field.{number}", str(error))
                continue
            except InvalidText as error:
                self._miss(f"values.{number}", str(error))
                continue
            if not values:
                self._miss(f"values.{number}", "Give at least one value")
            found.append((keys, values))
        return found

    def _miss(self, name: str, sentence: str) -> None:
        self.mistakes.setdefault(name, []).append(sentence)


def overrides(combination: Combination) -> dict[str, Any]:
    """Return the overrides that set a value for each field."""
    found: dict[str, Any] = {}
    for keys, value in combination:
        into = found
        for key in keys[:-1]:
            into = into.setdefault(key, {})
        into[keys[-1]] = value
    return found


def told(combination: Combination) -> Iterator[tuple[str, Any]]:
    """Yield the fields and their values, for a table."""
    yield from ((".".join(keys), value) for keys, value in combination)


def defaults(query: Mapping[str, str]) -> SweepForm:
    """Return the form as an address asks for it."""
    return SweepForm(query.get("template") or DEFAULT_TEMPLATE)


def _value(kind: Any, line: str) -> Any:
    """Return the value of a line. Of a text, quotes as in JSON may be around it: so the empty text can be written."""
    if kind is str and not line.startswith('"'):
        return line
    if kind is object:  # any JSON; what is none is a text
        try:
            return kinds.read_json(line)
        except InvalidText:
            return line
    return kinds.read_json(line) if kind is str else kinds.read(kind, line)


def _part(value: Any) -> str:
    text = value if isinstance(value, str) else kinds.write(value)
    return _NOT_IN_NAMES.sub("-", text).strip("-.")[:_LONGEST_PART]


def _count(sizes: Sequence[int], is_zip: bool) -> int:
    if is_zip:
        return max(sizes, default=0)
    count = 1
    for size in sizes:
        count *= size
    return count

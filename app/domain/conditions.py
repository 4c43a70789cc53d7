"""Conditions on the fields of configs: `temperature>1, model_name~qwen`. All of them must hold.

A condition is a path, an operator and a value. The value is JSON, or a word without quotes. Nothing here is run as
code or as a pattern, so the time that a condition takes is that of a comparison.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import field_paths
from app.domain.differences import MISSING
from app.domain.field_paths import KINDS, FieldPath, UnknownField

MOST = 20  # conditions
_NUMBER = int | float
# In a JSON Pointer, `~0` and `~1` belong to the path, unless there is a space before.
_FIELD = re.compile(r"\s*(?P<field>/(?:[^,=<>!~]|(?<!\s)~[01])*|[^,=<>!~]*)(?P<operator>!=|>=|<=|=|>|<|~)?\s*")
_WORD = re.compile(r"[^,]*")
_END = re.compile(r"\s*(?:,|\Z)")
_LITERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_decode = json.JSONDecoder().raw_decode


class ConditionProblem(ValueError):
    """A condition cannot be used. The message quotes it, and says what to write."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, an operator, and the value that the field is compared with."""

    path: FieldPath
    operator: str
    value: Any

    def holds(self, value: Any) -> bool:
        """Tell whether the condition holds where the field has a value, or MISSING.

        A value of another type is not equal, not more and not less. `!=` holds wherever `=` does not.
        """
        if self.operator in ("=", "!="):
            return _is_equal(value, self.value) == (self.operator == "=")
        if self.operator == "~":
            return isinstance(value, str) and self.value.casefold() in value.casefold()
        return _is_number(value) and _ORDERS[self.operator](value, self.value)


def read(text: str) -> list[Condition]:
    """Return the conditions in a text, with commas between them; ConditionProblem for the first that is wrong."""
    found: list[Condition] = []
    position = 0
    while position <= len(text):
        if len(found) == MOST:
            raise ConditionProblem(f"There are more than {MOST} conditions: ask for fewer at once")
        condition, position = _read(text, position)
        found.append(condition)
    return found


def _read(text: str, start: int) -> tuple[Condition, int]:
    """Return the condition that begins at a position, and where the next one begins."""
    match = _FIELD.match(text, start)
    assert match is not None
    field = match["field"].strip()
    if not field or match["operator"] is None:
        rest = text[start:].partition(",")[0].strip()
        said = f"'{_start(rest)}' is no condition" if rest else "A condition is empty"
        raise ConditionProblem(f"{said}: write a field, one of = != > >= < <= ~, and a value, such as temperature>1")
    try:
        path = field_paths.read(field)
    except UnknownField as error:
        raise ConditionProblem(str(error)) from error
    value, end = _read_value(text, match.end(), path, match["operator"])
    condition = Condition(path, match["operator"], value)
    problem = _problem(condition)
    if problem:
        raise ConditionProblem(f"'{_start(text[start:end].strip())}': {problem}")
    after = _END.match(text, end)
    if after is None:
        raise ConditionProblem(f"'{_start(text[start:].strip())}': put a comma behind the value, or quotes around it")
    return condition, after.end() if after[0].endswith(",") else len(text) + 1


def _read_value(text: str, start: int, path: FieldPath, sign: str) -> tuple[Any, int]:
    """Return the value that begins at a position, and its end."""
    if text[start : start + 1] in ('"', "[", "{"):
        try:
            value, end = _decode(text, start)
        except (ValueError, RecursionError) as error:
            raise ConditionProblem(f"'{_start(text[start:])}' is not JSON: a text ends with a quote") from error
        return value, end
    match = _WORD.match(text, start)
    assert match is not None
    word = match[0].strip()
    if not word:
        raise ConditionProblem(f"'{path.text}{sign}' has no value; an empty text is \"\"")
    is_text = sign == "~" or (path.kind is str and word != "null")
    return (word if is_text or not _LITERAL.fullmatch(word) else json.loads(word)), match.end()


def _problem(condition: Condition) -> str | None:
    """Return why an operator does not fit its field or its value, or None."""
    path, sign, value = condition.path, condition.operator, condition.value
    kind = "any JSON" if path.kind is object else KINDS[path.kind]
    if sign in _ORDERS:
        if path.kind not in (object, int, _NUMBER):
            return f"{sign} compares numbers, and '{path.text}' is {kind}"
        return None if _is_number(value) else f"{sign} compares with a number, such as 1 or 0.5"
    if sign == "~":
        if path.kind not in (object, str):
            return f"~ looks into texts, and '{path.text}' is {kind}"
        return None if isinstance(value, str) and value else "~ looks for a text that is not empty"
    if value is None or _fits(value, path.kind):
        return None
    return f"'{path.text}' is {kind}: give such a value, or null for none"


def _fits(value: Any, kind: Any) -> bool:
    if kind in (int, _NUMBER):
        return _is_number(value)
    return isinstance(value, kind)


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBER) and not isinstance(value, bool)


def _is_equal(value: Any, wanted: Any) -> bool:
    """Tell whether two values are the same JSON, where 1 is 1.0; no value is null."""
    if value is MISSING or value is None:
        return wanted is None
    if _is_number(value) and _is_number(wanted):
        return bool(value == wanted)
    if type(value) is not type(wanted):
        return False
    if isinstance(value, dict):
        return value.keys() == wanted.keys() and all(_is_equal(item, wanted[name]) for name, item in value.items())
    if isinstance(value, list):
        return len(value) == len(wanted) and all(map(_is_equal, value, wanted))
    return bool(value == wanted)


def _start(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"

"""Read JSON strictly: what cannot be stored, or is ambiguous, is a mistake."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from app.schemas.base import InvalidRequest, Location, Mistake
from app.wire.context import services

# A value's place in the body: that of the list or object which it is in, and its name or position there. Most places
# are never told, so only those of mistakes become locations.
_Place = tuple["_Place | None", str | int]
_BODY: Location = ("body",)
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)  # of JSON; also one that is a field's name
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")  # only an escape can bring a surrogate: UTF-8 has none


def parse(data: bytes, what: str = "The body") -> Any:
    """Return the value of JSON; InvalidRequest, with messages about `what`, if it is not valid or cannot be stored.

    All mistakes are in the place `body`; one that JSON itself has is at its position there.
    """
    _check_values(data, what)
    try:
        value = json.loads(data.decode(), object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite)
    except UnicodeDecodeError as error:
        raise _invalid("json_invalid", f"{what} is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise _invalid("json_invalid", f"{what} is not JSON: {error}", error.pos) from error
    except RecursionError as error:
        raise _too_deep(services().settings.max_depth, what) from error
    except ValueError as error:  # a number that is too large, or a field that is there twice
        raise _invalid("json_invalid", f"{what} cannot be stored: {error}") from error
    _check_size(value, data, what)
    mistakes = list(_find_surrogates(value)) if _SURROGATE_ESCAPE.search(data) else []
    if mistakes:
        raise InvalidRequest(mistakes)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counted.items() if count > 1)
        raise ValueError(f"an object has the field {json.dumps(twice)} twice")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not a finite number")
    return number


def _check_values(data: bytes, what: str) -> None:
    """Raise InvalidRequest if JSON has too many values. An empty list takes 2 bytes as text, and 64 in memory."""
    most = services().settings.max_values
    if _count_values(data) > most and (count := _count_values(_TEXT.sub(b"", data))) > most:
        message = f"{what} has {count} values (texts, numbers, lists, objects), and may have {most} at most"
        raise _invalid("too_long", message)


def _count_values(data: bytes) -> int:
    """Return how many values JSON has at the most; exactly as many if it has no text and no empty list or object."""
    return data.count(b",") + data.count(b"[") + data.count(b"{") + 1


def _check_size(value: Any, data: bytes, what: str) -> None:
    """Raise InvalidRequest if lists or objects are nested too deep or too long."""
    settings = services().settings
    brackets = data.count(b"[") + data.count(b"{")
    if brackets <= settings.max_depth and data.count(b",") < settings.max_items:
        return  # neither is possible
    level: list[tuple[_Place, Any]] = [((None, "body"), value)]
    for _ in range(settings.max_depth):
        inner: list[tuple[_Place, Any]] = []
        for place, item in level:
            if len(item) > settings.max_items:
                message = f"This has {len(item)} items, and may have {settings.max_items} at most"
                raise InvalidRequest([(_location(place), Mistake("too_long", message))])
            members = item.items() if isinstance(item, dict) else enumerate(item)
            inner += [((place, name), child) for name, child in members if isinstance(child, dict | list)]
        level = inner
        if not level:
            return
    raise _too_deep(settings.max_depth, what)


def _find_surrogates(value: Any) -> Iterator[tuple[Location, Mistake]]:
    """Find lone surrogates, which UTF-8 cannot encode."""
    todo: list[tuple[_Place, Any]] = [((None, "body"), value)]
    while todo:
        place, item = todo.pop()
        if isinstance(item, dict):
            for name, nested in item.items():
                if _has_surrogate(name):
                    yield _location(place), Mistake("string_unicode", "A field's name holds half of a surrogate pair")
                else:
                    todo.append(((place, name), nested))
        elif isinstance(item, list):
            todo.extend(((place, index), nested) for index, nested in enumerate(item))
        elif isinstance(item, str) and _has_surrogate(item):
            yield _location(place), Mistake("string_unicode", "This text holds half of a surrogate pair")


def _location(place: _Place) -> Location:
    names = []
    above: _Place | None = place
    while above is not None:
        above, name = above
        names.append(name)
    return tuple(reversed(names))


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _too_deep(deepest: int, what: str) -> InvalidRequest:
    return _invalid("json_invalid", f"{what} is nested more than {deepest} levels deep")


def _invalid(type_: str, message: str, *position: int) -> InvalidRequest:
    return InvalidRequest([((*_BODY, *position), Mistake(type_, message))])

"""Read request bodies strictly: JSON that cannot be stored, or is ambiguous, is a mistake."""

import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from app.schemas.base import InvalidRequest, Location, Mistake
from app.wire.context import services

if TYPE_CHECKING:
    from zlib import _Decompress as Unpacker

# A value's place in the body: that of the list or object which it is in, and its name or position there. Most places
# are never told, so only those of mistakes become locations.
_Place = tuple["_Place | None", str | int]
_BODY: Location = ("body",)
_PIECE = 64 * 1024
_MOST_FIELDS = 100_000  # of a form
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)  # of JSON; also one that is a field's name
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")  # only an escape can bring a surrogate: UTF-8 has none


class BrokenBody(Exception):
    """The body does not match its headers, or broke off."""


class SlowBody(Exception):
    """The client sent its body too slowly, and was cut off."""


def most_sent(max_body: int) -> int:
    """Return how many bytes a body of `max_body` may take as it is sent: gzip adds to what it cannot compress."""
    return max_body + max_body // 100 + 1024


def read_json(*, may_be_empty: bool = False) -> Any:
    """Return the JSON of the request's body; InvalidRequest if it is not valid. Nothing sent may count as `{}`."""
    if request.mimetype != "application/json" and not may_be_empty:
        raise _invalid("content_type", "The body must be JSON: send 'Content-Type: application/json'")
    data = b"".join(pieces())
    if may_be_empty and not data:
        return {}
    if not data:
        raise _invalid("missing", "The body is empty; it must be a JSON object")
    _check_values(data)
    try:
        value = json.loads(data.decode(), object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite)
    except UnicodeDecodeError as error:
        raise _invalid("json_invalid", f"The body is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise _invalid("json_invalid", f"The body is not JSON: {error}", error.pos) from error
    except RecursionError as error:
        raise _too_deep(services().settings.max_depth) from error
    except ValueError as error:  # a number that is too large, or a field that is there twice
        raise _invalid("json_invalid", f"The body cannot be stored: {error}") from error
    _check_size(value, data)
    mistakes = list(_find_surrogates(value)) if _SURROGATE_ESCAPE.search(data) else []
    if mistakes:
        raise InvalidRequest(mistakes)
    return value


def read_form() -> None:
    """Read the request's body as a form, with the bounds of other bodies; `request.form` has it then."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise BrokenBody("Send the form as application/x-www-form-urlencoded.")
    data = b"".join(pieces())
    try:
        fields = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BrokenBody(
            f"The form cannot be read: it has more than {_MOST_FIELDS} fields, or is not UTF-8."
        ) from error
    request.form, request.files = ImmutableMultiDict(fields), ImmutableMultiDict()


def pieces(limit: int | None = None) -> Iterator[bytes]:
    """Yield the request's body of `limit` bytes at most, decompressed if it is gzip.

    Raises RequestEntityTooLarge beyond the limit, for the size after decompression too, and BrokenBody
    if the body breaks off or does not match its headers.
    """
    encoding = request.content_encoding or "identity"
    if encoding not in ("identity", "gzip"):
        raise BrokenBody("Send the body uncompressed, or as gzip with 'Content-Encoding: gzip'.")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    limit = services().settings.max_body if limit is None else limit
    request.max_content_length = most_sent(limit)
    if unpack is None and (request.content_length or 0) > limit:
        raise RequestEntityTooLarge
    size = 0
    try:
        for piece in _sent():
            for part in _unpacked(unpack, piece):
                size += len(part)
                if size > limit:
                    raise RequestEntityTooLarge
                yield part
    except zlib.error as error:
        raise BrokenBody("The body is not gzip, as the header Content-Encoding says.") from error
    if unpack is not None and not unpack.eof:
        raise BrokenBody("The gzip data of the body breaks off.")


def _sent() -> Iterator[bytes]:
    """Yield the body as the client sent it."""
    size = 0
    while True:
        try:
            piece = request.stream.read(_PIECE)
        except ClientDisconnected as error:
            if isinstance(error.__context__, TimeoutError):
                raise SlowBody("The body came too slowly, and other requests wait.") from error
            raise
        except HTTPException:
            raise
        except Exception as error:  # each WSGI server raises another exception for malformed chunks
            raise BrokenBody("The body cannot be read: it does not match its headers.") from error
        if not piece:
            break
        size += len(piece)
        yield piece
    if size < (request.content_length or 0):
        raise BrokenBody(f"The body broke off after {size} of {request.content_length} bytes.")


def _unpacked(unpack: "Unpacker | None", piece: bytes) -> Iterator[bytes]:
    """Yield a piece decompressed, in bounded parts: a few bytes may become gigabytes."""
    if unpack is None:
        yield piece
        return
    while piece:
        yield unpack.decompress(piece, _PIECE)
        piece = unpack.unconsumed_tail


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


def _check_values(data: bytes) -> None:
    """Raise InvalidRequest if JSON has too many values. An empty list takes 2 bytes as text, and 64 in memory."""
    most = services().settings.max_values
    if _count_values(data) > most and (count := _count_values(_TEXT.sub(b"", data))) > most:
        message = f"The body has {count} values (texts, numbers, lists, objects), and may have {most} at most"
        raise _invalid("too_long", message)


def _count_values(data: bytes) -> int:
    """Return how many values JSON has at the most; exactly as many if it has no text and no empty list or object."""
    return data.count(b",") + data.count(b"[") + data.count(b"{") + 1


def _check_size(value: Any, data: bytes) -> None:
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
    raise _too_deep(settings.max_depth)


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


def _too_deep(deepest: int) -> InvalidRequest:
    return _invalid("json_invalid", f"The body is nested more than {deepest} levels deep")


def _invalid(type_: str, message: str, *position: int) -> InvalidRequest:
    return InvalidRequest([((*_BODY, *position), Mistake(type_, message))])

"""Reading bodies strictly: what could not be stored, or would be read in two ways, is a mistake."""

import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.schemas.base import InvalidRequest, Location, Mistake
from app.wire.context import services

if TYPE_CHECKING:
    from zlib import _Decompress as Unpacker

_BODY: Location = ("body",)
_PIECE = 64 * 1024
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")  # UTF-8 itself holds no surrogates


class BrokenBody(Exception):
    """A body that did not arrive as its headers say."""


class _DuplicateKey(ValueError):
    """An object names a field twice: which value counts is anybody's guess."""


def read_json() -> Any:
    """Return the JSON in the request's body; InvalidRequest where it is not acceptable."""
    if request.mimetype != "application/json":
        raise _invalid("content_type", "The body must be JSON: send 'Content-Type: application/json'")
    data = b"".join(pieces())
    if not data:
        raise _invalid("missing", "The body is empty; it must be a JSON object")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite
        )
    except UnicodeDecodeError as error:
        raise _invalid("json_invalid", f"The body is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise _invalid("json_invalid", f"The body is not JSON: {error}", error.pos) from error
    except RecursionError as error:
        raise _too_deep(services().settings.max_depth) from error
    except ValueError as error:  # a number that Python refuses to read, or a field named twice
        raise _invalid("json_invalid", f"The body cannot be kept: {error}") from error
    _check_size(value, data)
    mistakes = list(_find_surrogates(value)) if _SURROGATE_ESCAPE.search(data) else []
    if mistakes:
        raise InvalidRequest(mistakes)
    return value


def pieces() -> Iterator[bytes]:
    """Yield the request's body, unpacked where it is gzip.

    Raises RequestEntityTooLarge past the limit, packed or not, BrokenBody if it breaks off, or is not
    what its headers say.
    """
    encoding = request.content_encoding or "identity"
    if encoding not in ("identity", "gzip"):
        raise BrokenBody("The body must be sent as it is, or as gzip, and Content-Encoding say so.")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    limit = services().settings.max_body
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
        raise BrokenBody("The body is gzip that breaks off.")


def _sent() -> Iterator[bytes]:
    """Yield the body as it was sent."""
    size = 0
    while True:
        try:
            piece = request.stream.read(_PIECE)
        except HTTPException:
            raise
        except Exception as error:  # whatever the WSGI server makes of chunks that are none
            raise BrokenBody("The body is not framed as its headers say.") from error
        if not piece:
            break
        size += len(piece)
        yield piece
    if size < (request.content_length or 0):
        raise BrokenBody(f"The body broke off after {size} of {request.content_length} bytes.")


def _unpacked(unpack: "Unpacker | None", piece: bytes) -> Iterator[bytes]:
    """Yield a piece unpacked, in pieces: a few bytes may unpack to gigabytes."""
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
        raise _DuplicateKey(f"an object names the field {json.dumps(twice)} twice")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not a finite number")
    return number


def _check_size(value: Any, data: bytes) -> None:
    """Raise InvalidRequest where lists or objects are too deep or too long; most bodies cannot be."""
    settings = services().settings
    brackets = data.count(b"[") + data.count(b"{")
    if brackets <= settings.max_depth and data.count(b",") < settings.max_items:
        return
    level: list[tuple[Location, Any]] = [(_BODY, value)]
    for _ in range(settings.max_depth):
        inner: list[tuple[Location, Any]] = []
        for location, item in level:
            if len(item) > settings.max_items:
                message = f"This has {len(item)} items, and may have {settings.max_items} at most"
                raise InvalidRequest([(location, Mistake("too_long", message))])
            members = item.items() if isinstance(item, dict) else enumerate(item)
            inner += [((*location, name), child) for name, child in members if isinstance(child, dict | list)]
        level = inner
        if not level:
            return
    raise _too_deep(settings.max_depth)


def _find_surrogates(value: Any) -> Iterator[tuple[Location, Mistake]]:
    """Find lone surrogates, which no UTF-8 file can hold."""
    todo: list[tuple[Location, Any]] = [(_BODY, value)]
    while todo:
        location, item = todo.pop()
        if isinstance(item, dict):
            for name, nested in item.items():
                if _has_surrogate(name):
                    yield location, Mistake("string_unicode", "A field's name holds half of a surrogate pair")
                else:
                    todo.append(((*location, name), nested))
        elif isinstance(item, list):
            todo.extend(((*location, index), nested) for index, nested in enumerate(item))
        elif isinstance(item, str) and _has_surrogate(item):
            yield location, Mistake("string_unicode", "This text holds half of a surrogate pair")


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

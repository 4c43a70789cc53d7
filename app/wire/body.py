"""Read request bodies strictly: JSON that cannot be stored, or is ambiguous, is a mistake."""

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from app.schemas.base import InvalidRequest, Mistake
from app.wire import json_text
from app.wire.context import services

if TYPE_CHECKING:
    from zlib import _Decompress as Unpacker

_PIECE = 64 * 1024
_MOST_FIELDS = 100_000  # of a form


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
    return json_text.parse(data)


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


def _invalid(type_: str, message: str) -> InvalidRequest:
    return InvalidRequest([(("body",), Mistake(type_, message))])

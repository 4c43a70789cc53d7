"""How an answer of a view is sent: as JSON of its schema, as text, or in pieces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, request
from marshmallow import Schema

from app.wire.context import services, stream
from storage.repository import Repository

BUNDLE = "application/x-git-bundle"  # the media type of a bundle


class Pieces(Iterator[bytes]):
    """An answer that is made while it is sent. `end` is called once, when all was sent or the client is gone.

    `media_type` says which it is of the texts that the view can answer with; the first if left out.
    """

    def __init__(self, source: Iterator[bytes], end: Callable[[], None], media_type: str | None = None) -> None:
        self.media_type = media_type
        self._source = source
        self._ends: list[Callable[[], None]] = [getattr(source, "close", _nothing), end]

    def __next__(self) -> bytes:
        """Return the next piece."""
        return next(self._source)

    def close(self) -> None:
        """End what makes the pieces."""
        while self._ends:
            self._ends.pop(0)()

    def __del__(self) -> None:
        """End it also where nobody asked for a piece, as in the answer to a HEAD request."""
        self.close()


def bundle(repository: Repository) -> Pieces:
    """Return a whole repo as a git bundle: all commits and all tags. TooBusy if the user has too many answers."""
    end = stream()
    try:
        return Pieces(repository.fetches.bundle(), end, BUNDLE)
    except BaseException:
        end()
        raise


# The payload, the status, and the headers. A view with several schemas says which one with the payload. A payload
# that takes work is a function, which is not called where the body is not needed, or is in the answer cache.
Payload = dict[str, Any] | tuple[type[Schema], dict[str, Any]] | str | Pieces | Callable[[], dict[str, Any] | bytes]
Answer = tuple[Payload, int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A media type that a view can answer with instead of JSON."""

    media_type: str
    description: str
    example: str | None = None  # for the document, where no answer is kept: it is binary, or another each time


def streamed(make: Callable[[], Iterator[bytes]], media_type: str) -> Pieces:
    """Return an answer whose pieces `make` returns; where that fails, the answer is an error.

    TooBusy where the user has too many such answers.
    """
    end = stream()
    try:
        return Pieces(make(), end, media_type)
    except BaseException:
        end()
        raise


def _nothing() -> None:
    """Do nothing."""


def respond(
    schemas: tuple[Schema, ...],
    statuses: tuple[int, ...],
    texts: tuple[TextFormat, ...],
    payload: Any,
    status: int,
    headers: dict[str, str],
) -> Response:
    """Send an answer of a view that has these schemas, statuses and formats of text."""
    content_type = "application/json"
    if texts and len(schemas) + len(texts) > 1:
        headers = {**headers, "Vary": "Accept"}
    render = partial(_to_json, schemas, payload)
    body: bytes | Pieces
    if status == HTTPStatus.NOT_MODIFIED:
        body = b""
    elif isinstance(payload, Pieces):
        body, content_type = payload, payload.media_type or texts[0].media_type
    elif isinstance(payload, str) and texts:
        body, content_type = payload.encode(), f"{texts[0].media_type}; charset=utf-8"
    elif HTTPStatus.NOT_MODIFIED in statuses and "ETag" in headers:
        body = services().answer_cache.get((request.path, headers["ETag"]), render)
    else:
        body = render()
    return Response(body, status, headers, content_type=content_type)


def _to_json(schemas: tuple[Schema, ...], payload: Any) -> bytes:
    schema = schemas[0]
    if callable(payload):
        payload = payload()
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, tuple):
        kind, payload = payload
        schema = next(schema for schema in schemas if type(schema) is kind)
    return f"{current_app.json.dumps(schema.dump(payload), separators=(',', ':'))}\n".encode()

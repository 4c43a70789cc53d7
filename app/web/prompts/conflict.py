"""Somebody else wrote a prompt meanwhile: both versions on the one that the editor began with."""

import json
from collections.abc import Sequence
from typing import Any

from app.domain.errors import NotFound
from app.registry.configs import prompts
from app.registry.configs.prompts import FOLDER, Prompt
from app.schemas.base import load
from app.schemas.prompts import PromptPutSchema
from app.web.admission import Place
from app.web.parts import conflicts
from app.web.parts.clash import Clash, was_at, writers
from app.web.prompts.draft import Document
from app.wire import json_text
from storage.ids import BlobId
from storage.snapshot import File


def read_version(place: Place, name: str, version: str) -> Prompt | None:
    """Return a prompt at a version that a form names; None where the prompt never had it."""
    head = place.repository.head()
    if not was_at(place, FOLDER.path(name), version):
        return None
    return prompts.parse(head, name, File(BlobId(version), head.blob(BlobId(version))))


def find(place: Place, name: str, base_version: str, version: str, yours: Document) -> Clash:
    """Return how a document, which began with a version of a prompt, collides with a later one.

    Raises NotFound where the prompt never had the later version.
    """
    theirs, base = read_version(place, name, version), read_version(place, name, base_version)
    if theirs is None:
        raise NotFound(FOLDER.kind, name)
    sides = [{} if base is None else base.document(), theirs.document(), yours]
    before, after, mine = _by_message(sides)
    return Clash(
        base_version,
        theirs.version,
        conflicts.compare(before, after, mine),
        writers(place, FOLDER.path(name), base_version),
        json.dumps(yours, ensure_ascii=False),
        after,
        _joined,
    )


def read_yours(text: str) -> Document:
    """Return the document that a form sends again; InvalidRequest where it is not the one that the page had."""
    document: Document = json_text.parse(text.encode(errors="surrogatepass"), "The form")
    load(PromptPutSchema(), document, ("body", "yours"))
    return document


def _by_message(sides: Sequence[Document]) -> list[Document]:
    """Return documents whose messages have numbers, so that they are compared one by one.

    Where a side has more messages than another, a number does not say which belong together: the lists stay whole.
    """
    counts = {len(side["messages"]) for side in sides if side}
    if len(counts) > 1:
        return [*sides]
    return [
        {**side, "messages": {str(number): each for number, each in enumerate(side["messages"], 1)}} if side else side
        for side in sides
    ]


def _joined(document: Document) -> dict[str, Any]:
    """Return a document whose messages are a list again."""
    messages = document["messages"]
    return {**document, "messages": [*messages.values()] if isinstance(messages, dict) else messages}

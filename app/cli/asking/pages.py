"""Answers that come in pages, read one after the other."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.cli.asking.client import Answer, Client

_MOST = 100  # of a page, where the API takes a limit

Follow = Callable[[Any], Answer]


def cursor(following: str) -> Answer:
    """Return the query of the next page, where that is told by a cursor."""
    return {"cursor": following}


def every(client: Client, *path: str, follow: Follow = cursor, **query: Any) -> Iterator[Answer]:
    """Yield all pages of an answer; `follow` makes of `next` what is another in the query of the next page."""
    while True:
        page = client.get(*path, **query)
        following = page["next"]
        yield page
        if following is None:
            return
        query |= follow(following)


def newest(
    client: Client, *path: str, number: int, items: str, looked: Callable[[str], None] = lambda _: None, **query: Any
) -> Iterator[Answer]:
    """Yield pages of what happened, newest first, until they have `number` of `items`.

    Before each further page, `looked` is told the commit down to which the server has looked.
    """
    before: str | None = None
    while number > 0:
        page = client.get(*path, **query, before=before, limit=min(number, _MOST))
        number, before = number - len(page[items]), page["next"]
        yield page
        if before is None:
            return
        if number > 0:
            looked(before)


def join(pages: Iterable[Answer], *items: str) -> Answer:
    """Return pages as one answer, with all that each has of `items`."""
    found: Answer = {}
    for page in pages:
        more = {name: _both(found[name], page[name]) for name in items if name in page and name in found}
        found = {**found, **page, **more}
    return found


def _both(first: Any, second: Any) -> Any:
    return {**first, **second} if isinstance(first, dict) else first + second

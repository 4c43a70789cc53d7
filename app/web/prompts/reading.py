"""A prompt as people read it, what has to do with it, and the list of prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.budgets import Room
from app.registry.audit import uses
from app.registry.audit.uses import Holder
from app.registry.configs import prompts, usage
from app.registry.configs.prompts import FOLDER, Prompt
from app.web.admission import Place
from app.web.parts.commits import Commit

_MOST_MESSAGES = 100  # of a page
_MOST_BYTES = 200_000  # of all messages of a page; there is always room for the first one
_MOST_USERS = 50
_MOST_NAMES = 200  # of a page


@dataclass(frozen=True, slots=True)
class Message:
    """A message with its number, counted from 1, and the fields that it has beside role and content."""

    number: int
    role: Any
    has_content: bool
    content: Any
    more: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Uses:
    """What has to do with a prompt: the first targets that name it, how many do, and the labels and tags that hold it.

    Each holder says whether it has the version that is shown.
    """

    users: Sequence[str]
    count: int
    live: Sequence[tuple[Holder, bool]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of a prompt; `next` is the message with which the next page begins.

    `command` shows the whole file in a clone.
    """

    prompt: Prompt
    size: int
    messages: Sequence[Message]
    next: int | None
    last: Commit | None
    command: str


def read(place: Place, name: str, offset: int) -> Reading:
    """Return a prompt, with its messages from the number `offset` on; NotFound if there is none."""
    prompt = prompts.get(place.snapshot, name)
    room, shown = Room(_MOST_BYTES), []
    for number, message in enumerate(prompt.messages[offset : offset + _MOST_MESSAGES], offset + 1):
        if not room.fits(message):
            break
        shown.append(_message(number, message))
    end = offset + len(shown)
    path = FOLDER.path(name)
    changed = place.repository.last_changes([path], place.snapshot.commit).get(path)
    last = None if changed is None else Commit.of(changed, place.repository.signature(changed))
    size = len(place.snapshot.blob(prompt.version))
    command = f"git show {place.snapshot.commit}:{path}"
    return Reading(prompt, size, shown, end if end < len(prompt.messages) else None, last, command)


def used(place: Place, prompt: Prompt) -> Uses:
    """Return what has to do with a prompt."""
    names = usage.users_of_prompt(place.snapshot, prompt.name)
    held = uses.held_by(place.repository, place.snapshot, FOLDER.path(prompt.name), place.repository.tags())
    live = [(holder, holder.version == prompt.version) for _, holder in held]
    return Uses(names[:_MOST_USERS], len(names), live)


def names(place: Place, number: int) -> tuple[Sequence[str], int, int]:
    """Return the names of a page of prompts, how many prompts there are, and how many pages."""
    found = FOLDER.names(place.snapshot)
    pages = max(1, -(-len(found) // _MOST_NAMES))
    start = (min(number, pages) - 1) * _MOST_NAMES
    return found[start : start + _MOST_NAMES], len(found), pages


def _message(number: int, message: prompts.Message) -> Message:
    more = {name: value for name, value in message.items() if name not in ("role", "content")}
    return Message(number, message.get("role"), "content" in message, message.get("content"), more)

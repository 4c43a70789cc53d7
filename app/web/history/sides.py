"""The two sides of a comparison, as the address of its page names them."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from app.registry import revisions
from app.registry.configs import things
from app.registry.configs.things import Thing
from app.schemas.base import load
from app.schemas.sides import SidesQuerySchema
from app.web.admission import Place
from app.web.parts.commits import Commit
from storage.snapshot import Snapshot

NOW = "main"
_PARAMETERS = ("target", "prompt", "default", "against", "path", "view", "offset")


@dataclass(frozen=True, slots=True)
class Side:
    """A commit as the address names it, and the thing there, or None for the whole repo."""

    ref: str
    snapshot: Snapshot
    commit: Commit
    thing: Thing | None

    @property
    def title(self) -> str:
        """What stands above this side."""
        shown = self.ref if self.ref != self.snapshot.commit else self.ref[:7]
        now = "now" if shown == NOW else shown
        return now if self.thing is None else f"{self.thing.name}, {now}"

    @property
    def has_thing(self) -> bool:
        """Tell whether the thing is there at the commit."""
        return self.thing is not None and self.snapshot.version(self.thing.path) is not None


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides, and the query of the page."""

    left: Side
    right: Side
    query: Mapping[str, Any]

    @property
    def kind(self) -> str | None:
        """The kind of the things that are compared, None for the whole repo."""
        return next((kind for kind in ("target", "prompt", "default") if self.query[kind]), None)

    @property
    def address(self) -> Mapping[str, str]:
        """The query of this page as its address has it, without the part that is shown and the form of it."""
        shown = ("target", "prompt", "against", "path")
        default = {"default": "true"} if self.query["default"] else {}
        return {name: self.query[name] for name in shown if self.query[name]} | default

    @property
    def swapped(self) -> Mapping[str, str]:
        """The same with left and right the other way round."""
        found = dict(self.address)
        if "against" in found and self.kind:
            found["against"], found[self.kind] = found[self.kind], found["against"]
        return found

    @property
    def refs(self) -> Mapping[str, str]:
        """Both sides, as the address names them."""
        return {"a": self.left.ref, "b": self.right.ref}

    @property
    def command(self) -> str:
        """The command that shows the whole comparison as text, in a clone."""
        files = [
            side.snapshot.commit + (f":{side.thing.path}" if side.thing else "") for side in (self.left, self.right)
        ]
        return shlex.join(["git", "diff", *files])

    @property
    def fixed(self) -> Mapping[str, str]:
        """Both sides by the ids of their commits, so that pages fit together while labels move."""
        return {"a": self.left.commit.id, "b": self.right.commit.id}


def read(place: Place, left: str, right: str) -> Sides:
    """Return both sides, by what the address names, and its query."""
    given = {name: request.args[name] for name in _PARAMETERS if request.args.get(name)}
    query = load(SidesQuerySchema(), {"left": left, "right": right, **given}, ("query",))
    find = _finder(query)
    names = (query["against"] or query["target"] or query["prompt"], query["target"] or query["prompt"])
    refs = ((left, query["left"]), (right, query["right"]))
    both = [_side(place, *ref, find and find(name)) for ref, name in zip(refs, names, strict=True)]
    return Sides(both[0], both[1], query)


def _finder(query: Mapping[str, Any]) -> Callable[[str], Thing] | None:
    if query["target"]:
        return things.target
    if query["prompt"]:
        return things.prompt
    return (lambda _: things.DEFAULT) if query["default"] else None


def _side(place: Place, text: str, ref: revisions.Ref, thing: Thing | None) -> Side:
    snapshot = revisions.at(place.repository, ref)
    return Side(text, snapshot, Commit.of(snapshot.commit, place.repository.signature(snapshot.commit)), thing)

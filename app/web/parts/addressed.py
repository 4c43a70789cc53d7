"""The target, prompt or default that the address of a page names."""

from collections.abc import Mapping

from flask import request

from app.registry.configs import things
from app.registry.configs.things import Thing

KINDS = ("target", "prompt", "default")


def thing() -> Thing:
    """Return the thing that the address names; the default where it names neither a target nor a prompt."""
    names = request.view_args or {}
    if "target_name" in names:
        return things.target(names["target_name"])
    return things.prompt(names["prompt_name"]) if "prompt_name" in names else things.DEFAULT


def kind(found: Thing) -> str:
    """Return the kind of a thing, as pages name it."""
    return "default" if found is things.DEFAULT else found.folder.kind.lower()


def names(kind: str, name: str | None) -> Mapping[str, str | None]:
    """Return the part of an address that names a thing of a kind."""
    return {} if kind == "default" else {f"{kind}_name": name}

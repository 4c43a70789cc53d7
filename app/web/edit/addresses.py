"""The addresses of an editor: of a new target, of one that is there, and of the default."""

from dataclasses import dataclass

from flask import url_for

from app.domain.names import DEFAULT_TEMPLATE
from app.web.admission import Place


@dataclass(frozen=True, slots=True)
class Addresses:
    """What an editor is called, and where its buttons and links lead: `back` is the page of what is edited."""

    title: str
    heading: str
    save: str
    preview: str
    merge: str
    back: str


def of_new(place: Place) -> Addresses:
    """Return the addresses of the editor of a new target."""
    save, preview = (_address(f"web.edit.{each}", place) for each in ("create", "preview_new"))
    return Addresses("The target", "New target", save, preview, "", _address("web.repo.show", place))


def of_target(place: Place, name: str) -> Addresses:
    """Return the addresses of the editor of a target."""
    save, preview, merge = (_address(f"web.edit.{each}", place, name) for each in ("save", "preview", "merge"))
    return Addresses(f"Target '{name}'", f"Edit {name}", save, preview, merge, _address("web.target.show", place, name))


def of_default(place: Place) -> Addresses:
    """Return the addresses of the editor of the default."""
    save, preview, merge = (_address(f"web.edit.{each}_default", place) for each in ("save", "preview", "merge"))
    back = _address("web.target.show_default", place)
    return Addresses("The default", f"Edit {DEFAULT_TEMPLATE}", save, preview, merge, back)


def _address(endpoint: str, place: Place, target_name: str | None = None) -> str:
    return url_for(endpoint, owner=place.owner, repo_name=place.repo_name, target_name=target_name)

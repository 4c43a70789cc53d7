"""`/<owner>/<repo_name>/tree`, and the same picture as a file, `tree.svg`."""

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup

from app.domain.names import target_name_problem
from app.web import admission
from app.web.admission import Place
from app.web.parts import numbered
from app.web.rendering import kept
from app.web.tree import cards, drawing, layout
from app.web.tree.drawing import Addresses
from app.web.tree.folding import View
from app.web.tree.graph import TOP
from app.web.tree.members import Member
from app.web.tree.page import Shown, gather
from app.wire import addresses

blueprint: Blueprint = admission.pages("tree")

_MOST_OPENED = 20  # names of an address


@blueprint.get("/<user:owner>/<repo_name>/tree")
def show(owner: str, repo_name: str) -> Response:
    """Show the family tree of a repo, as a picture and as a list."""
    place = admission.place()
    return kept("tree/tree.html", lambda: _shown(place))


def _shown(place: Place) -> dict[str, Any]:
    shown = gather(place, _view())
    picture = _draw(shown, f"The family of {place.repo_name}")
    said = {"told": cards, "fold_text": drawing.fold_text, "address": _address, "target_address": _target}
    return {"shown": shown, "picture": Markup(picture), **said}  # noqa: S704 — ElementTree escapes


@blueprint.get("/<user:owner>/<repo_name>/tree.svg")
def export(owner: str, repo_name: str) -> Response:
    """Send the picture as a file that stands alone; its links lead back to this server."""
    style = _style()
    picture = _draw(gather(admission.place(), _view()), f"The family of {owner}/{repo_name}", style)
    response = Response(f'<?xml version="1.0" encoding="utf-8"?>\n{picture}\n', mimetype="image/svg+xml")
    response.headers["Content-Disposition"] = f'attachment; filename="{repo_name}-tree.svg"'
    # A browser that shows the file all the same runs nothing, and takes no style but this one.
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = f"default-src 'none'; style-src 'sha256-{digest}'; sandbox"
    return response


def _view() -> View:
    """Return what the address asks for. Links to names that are gone by now show the rest."""
    opened = tuple(dict.fromkeys(request.args.getlist("open")[:_MOST_OPENED]))
    return View(request.args.get("root", TOP), opened, numbered.number("from"))


def _address(view: View, endpoint: str = ".show") -> str:
    place = admission.place()
    query: dict[str, Any] = {"root": view.root or None, "open": view.opened or None, "from": view.start or None}
    return url_for(endpoint, owner=place.owner, repo_name=place.repo_name, ref=place.ref, **query)


def _draw(shown: Shown, title: str, style: str | None = None) -> str:
    base = "" if style is None else addresses.base()
    found = Addresses(
        lambda member: None if (path := _target(member)) is None else _below(base, path),
        lambda fold: _below(base, _address(fold.view)),
    )
    return drawing.draw(layout.place(shown.folded), shown.members, found, title=title, style=style)


def _below(base: str, path: str) -> str:
    """Return a path of this server as an address; where there is no base, as the path that it is."""
    return f"{base}{path.removeprefix(request.script_root)}" if base else path


def _target(member: Member) -> str | None:
    """Return the address of a target's page; None where there is no such page."""
    place = admission.place()
    of_repo: dict[str, Any] = {"owner": place.owner, "repo_name": place.repo_name, "ref": place.ref}
    if member.kind == "default":
        return url_for("web.target.show_default", **of_repo)
    if member.kind == "gone" or target_name_problem(member.name):
        return None  # somebody wrote a file by hand, under a name that no request has
    return url_for("web.target.show", **of_repo, target_name=member.name)


@cache
def _style() -> str:
    return (files("app.web") / "static" / "tree-file.css").read_text()

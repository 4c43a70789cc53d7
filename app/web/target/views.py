"""`/<owner>/<repo_name>/targets/<target_name>`, and its file as it lies in git."""

from typing import Any

from flask import Response, make_response

from app.domain.names import DEFAULT_TEMPLATE
from app.registry.configs import defaults, targets
from app.registry.configs.target_files import FOLDER, Target
from app.web import admission
from app.web.admission import Place
from app.web.parts import numbered, runs
from app.web.rendering import kept, page
from app.web.target import copies, relations, values

blueprint = admission.pages("target")

_ADDRESS = "/<user:owner>/<repo_name>/targets/<item:target_name>"
_MOST_YAML = 32 * 1024  # bytes of a file that the page shows as it is


@blueprint.get(_ADDRESS)
def show(owner: str, repo_name: str, target_name: str) -> Response:
    """Show a target: its values and where they come from, and what it has to do with others."""
    place = admission.place()
    target = targets.get(place.snapshot, target_name)
    return kept("target/target.html", lambda: _shown(place, target), runs=runs.last(place, target_name))


def _shown(place: Place, target: Target) -> dict[str, Any]:
    data = place.snapshot.blob(target.version)
    return {
        "target": target,
        "values": values.read(place, target, numbered.number("offset")),
        "drift": relations.drift(place, target),
        "children": relations.children(place, target.name),
        "live": relations.live(place, target),
        "copies": copies.of_target(place, target.name),
        "yaml": data.decode(errors="replace") if len(data) <= _MOST_YAML else None,
    }


@blueprint.get(f"{_ADDRESS}/yaml")
def show_yaml(owner: str, repo_name: str, target_name: str) -> Response:
    """Send the file of a target as it lies in git, as text."""
    snapshot = admission.place().snapshot
    response = make_response(snapshot.blob(FOLDER.expect(snapshot, target_name)))
    response.content_type = "text/plain; charset=utf-8"
    return response


@blueprint.get("/<user:owner>/<repo_name>/default")
def show_default(owner: str, repo_name: str) -> Response:
    """Show the template that every target goes back to."""
    place = admission.place()
    default = defaults.get(place.snapshot)
    return page(
        "target/default.html",
        config=default.config,
        last=values.last_change(place, defaults.PATH),
        children=relations.children(place, DEFAULT_TEMPLATE),
        yaml=place.snapshot.blob(default.version).decode(errors="replace"),
    )

"""`/<owner>/<repo_name>/targets/<target_name>`."""

from flask import Response, request

from app.registry.configs import targets
from app.web import admission
from app.web.rendering import page
from app.web.target import values

blueprint = admission.pages("target")

_ADDRESS = "/<user:owner>/<repo_name>/targets/<item:target_name>"


@blueprint.get(_ADDRESS)
def show(owner: str, repo_name: str, target_name: str) -> Response:
    """Show a target: its values and where they come from."""
    place = admission.place()
    target = targets.get(place.snapshot, target_name)
    offset = request.args.get("offset", 0, type=int)
    return page("target/target.html", target=target, values=values.read(place, target, max(0, offset)))

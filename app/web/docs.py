"""`/docs`: the API page, Swagger UI on `/openapi.json`. The browser loads nothing from other hosts."""

from importlib.resources import as_file, files

from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import NotFound

blueprint = Blueprint("docs", __name__, url_prefix="/docs")

_OURS = ("docs.css", "docs.js")
_SWAGGER_UI = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
# Swagger UI uses inline styles, and images in data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@blueprint.get("")
def show_docs() -> Response:
    """Show the API page."""
    response = _send("app.web", "docs.html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.get("/<name>")
def send_asset(name: str) -> Response:
    """Send a file that the page loads."""
    if name in _OURS:
        return _send("app.web", name)
    if name in _SWAGGER_UI:
        return _send("swagger_ui", name)
    raise NotFound


def _send(package: str, name: str) -> Response:
    with as_file(files(package) / "static") as folder:
        return send_from_directory(folder, name, max_age=3600)

"""Names that a field offers while somebody types: a repo may have more than one page has room for."""

from flask import Response, request

from app.registry.configs import prompts, target_files
from app.web.admission import Place

_MOST = 50


def answer(place: Place) -> Response:
    """Return the first names with the text `q` in them, a line each: of prompts where `of` says so, else of targets."""
    folder = prompts.FOLDER if request.args.get("of") == "prompts" else target_files.FOLDER
    wanted = request.args.get("q", "").lower()
    found = [name for name in folder.names(place.snapshot) if wanted in name.lower()]
    return Response("\n".join(found[:_MOST]), content_type="text/plain; charset=utf-8")

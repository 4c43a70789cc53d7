"""`/<owner>/<repo_name>/bundle`: the whole repo as a file, for whoever may read it."""

from flask import Response

from app.web import admission
from app.wire import sending

blueprint = admission.pages("export")


@blueprint.get("/<user:owner>/<repo_name>/bundle")
def bundle(owner: str, repo_name: str) -> Response:
    """Send all commits and tags of a repo as a git bundle."""
    response = Response(sending.bundle(admission.place().repository), content_type=sending.BUNDLE)
    response.headers["Content-Disposition"] = f'attachment; filename="{owner}-{repo_name}.bundle"'
    return response

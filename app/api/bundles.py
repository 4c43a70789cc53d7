"""`/v1/repo/{repo_name}/bundle` and `/import`: a whole repo as one file, with its history."""

import tempfile
from pathlib import Path

from flask import Blueprint, request

from app.api.git import spool
from app.api.repo_life import require_owner
from app.api.repos import answer
from app.domain.errors import ImportRefused
from app.registry import repos
from app.registry.life import imports
from app.schemas.repos import RepoSchema
from app.wire import context, sending, versions
from app.wire.contract import Answer, TextFormat, accepts, returns
from storage.budget import Limits

_BUNDLE = TextFormat(
    sending.BUNDLE, "A bundle, as `git bundle create` makes it: `git clone` takes it.", "# v2 git bundle"
)

blueprint = Blueprint("bundles", __name__, url_prefix="/v1/repo/<repo_name>/bundle")
blueprint.before_request(context.authorize)
importing = Blueprint("importing", __name__, url_prefix="/v1/repo/<repo_name>/import")
importing.before_request(require_owner)


@blueprint.get("")
@accepts()
@returns((), 200, errors=(404,), text=_BUNDLE)
def get_bundle(repo_name: str) -> Answer:
    """Export a repo as a git bundle: all commits and all tags.

    Whoever may read the repo may have it, as with `git clone`. `POST …/import` and `git clone` take such a file.
    """
    return sending.bundle(context.repository(repo_name)), 200, {}


@importing.post("")
@accepts(upload=sending.BUNDLE)
@returns(RepoSchema, 201, errors=(409,), headers=versions.REPO_HEADERS | versions.LOCATION)
def import_repo(repo_name: str) -> Answer:
    """Make a repo of a git bundle, with its whole history.

    The bundle must have a branch `main` that Bakehouse could have written. Otherwise it is refused whole, with
    its findings. Grants in it are dropped.
    """
    settings, owner = context.services().settings, context.principal().owner
    if request.mimetype not in (sending.BUNDLE, "application/octet-stream"):
        raise ImportRefused([f"The body must be a bundle: send 'Content-Type: {sending.BUNDLE}'"])
    with context.readmit_if_slow():
        bundle = spool(repo_name, tempfile.NamedTemporaryFile, settings.max_import)
    with bundle:
        limits = Limits(settings.max_document, settings.max_write)
        made = imports.from_file(context.places(), context.origin(), owner, repo_name, Path(bundle.name), limits)
    payload, _, headers = answer(repos.describe(made.head(), owner))
    return payload, 201, headers | {"Location": versions.location("")["Location"].removesuffix("/import/")}

"""`/v1/repo`."""

from typing import Any

from flask import Blueprint

from app.api import examples
from app.auth import visible_repos
from app.domain.tokens import Access
from app.registry import repos
from app.registry.life import creation
from app.registry.repos import Repo
from app.schemas.repos import (
    RepoCreateSchema,
    RepoListQuerySchema,
    RepoListSchema,
    RepoPageSchema,
    RepoSchema,
    RepoTreeSchema,
)
from app.schemas.revisions import RefQuerySchema
from app.wire import addresses, context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("repos", __name__, url_prefix="/v1/repo")
blueprint.before_request(context.authorize)


@blueprint.post("")
@accepts(RepoCreateSchema, example=examples.CREATE_REPO)
@returns(RepoSchema, 201, 200, errors=(409,), headers=versions.REPO_HEADERS | versions.LOCATION)
def create_repo(body: dict[str, Any]) -> Answer:
    """Create a repo.

    200 if it exists with this base model, or if the request names none.
    """
    repo, created = _create(body)
    payload, status, headers = answer(repo)
    return (payload, 201, headers | versions.location(repo.name)) if created else (payload, status, headers)


@blueprint.put("")
@accepts(RepoCreateSchema, example=examples.CREATE_REPO)
@returns(RepoSchema, 200, errors=(409,), headers=versions.REPO_HEADERS)
def put_repo(body: dict[str, Any]) -> Answer:
    """Create a repo, or return it. Deprecated: use POST."""
    repo, _ = _create(body)
    return answer(repo)


@blueprint.get("")
@accepts(query=RepoListQuerySchema, conditions=("If-None-Match",))
@returns((RepoListSchema, RepoPageSchema), 200, 304, headers=versions.NAMES_HEADERS | versions.OWNER)
def list_repos(query: dict[str, Any]) -> Answer:
    """List the repos of a user, by name or in pages with metadata.

    Of another user, only the repos that are shared with the caller.
    """
    store, principal = context.services().store, context.principal()
    names = visible_repos(store, context.shares(), principal)
    owner = {"Repo-Owner": principal.owner}
    if not query["include_metadata"]:
        version = versions.names_version(names)
        status = 304 if versions.is_known(version) else 200
        return (RepoListSchema, {"repos": names}), status, {"ETag": f'"{version}"', **owner}
    offset, limit = query["offset"], query["limit"]
    page = {
        "repos": [
            {"repo_name": repo.name, "base_model": repo.base_model}
            for repo in repos.describe_all(store, principal.owner, names[offset : offset + limit])
        ],
        "offset": offset,
        "limit": limit,
        "has_more": offset + limit < len(names),
        "total": len(names),
    }
    return (RepoPageSchema, page), 200, owner


@blueprint.get("/<repo_name>")
@accepts(query=RefQuerySchema)
@returns(RepoSchema, 200, errors=(404, 409), headers=versions.REPO_HEADERS)
def get_repo(repo_name: str, query: dict[str, Any]) -> Answer:
    """Read a repo."""
    return answer(_read(repo_name, query))


@blueprint.get("/<repo_name>/tree")
@accepts(query=RefQuerySchema)
@returns(RepoTreeSchema, 200, errors=(404, 409), headers=versions.REPO_HEADERS)
def get_repo_tree(repo_name: str, query: dict[str, Any]) -> Answer:
    """Read the lineage of the models of a repo, which the SDK asks for.

    Bakehouse keeps configurations and bakes no models, so `bakes` and `edges` are empty.
    """
    repo = _read(repo_name, query)
    return {"base_model": repo.base_model, "bakes": {}, "edges": []}, 200, _headers(repo)


def _read(repo_name: str, query: dict[str, Any]) -> Repo:
    return repos.describe(context.snapshot(repo_name, query), context.principal().owner)


def _create(body: dict[str, Any]) -> tuple[Repo, bool]:
    principal, name = context.principal(), body["repo_name"]
    principal.check_token(Access.WRITE, name)
    return creation.create(context.places(), context.origin(), principal.owner, name, body.get("base_model"))


def answer(repo: Repo) -> Answer:
    """Return the answer about a repo."""
    payload = {
        "repo_name": repo.name,
        "base_model": repo.base_model,
        "clone_url": addresses.clone_url(repo.owner, repo.name),
    }
    return payload, 200, _headers(repo)


def _headers(repo: Repo) -> dict[str, str]:
    return {"Git-Commit": repo.commit, "Repo-Owner": repo.owner}

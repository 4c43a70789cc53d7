"""`/-/search` and `/<owner>/<repo_name>/search`."""

from flask import Response

from app.schemas.search import RepoSearchQuerySchema, SearchQuerySchema
from app.web import admission
from app.web.rendering import page
from app.web.search import results, scopes
from app.wire import context
from app.wire.query import load_query

blueprint = admission.pages("search")

_QUERY, _REPO_QUERY = SearchQuerySchema(), RepoSearchQuerySchema()


@blueprint.get("/-/search")
def everywhere() -> Response:
    """Search all repos that the viewer may read; of one owner, where the query names one."""
    query = load_query(_QUERY, is_open=True)
    start = scopes.start_of(query["after"])
    places = scopes.of_viewer(context.principal(), query["owner"], start)
    needs_owner = context.principal().is_master and query["owner"] is None
    found = None if needs_owner else results.find(places, query["q"], query["kind"], start)
    return page("search/search.html", query=query, found=found, needs_owner=needs_owner)


@blueprint.get("/<user:owner>/<repo_name>/search")
def in_repo(owner: str, repo_name: str) -> Response:
    """Search one repo."""
    query = load_query(_REPO_QUERY, is_open=True)
    place = admission.place()
    places, start = scopes.of_place(place, query["after"])
    found = results.find(places, query["q"], query["kind"], start)
    return page("search/search.html", query=query, found=found, needs_owner=False)

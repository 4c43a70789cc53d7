"""`/<owner>/<repo_name>`, and its table as a CSV file."""

from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.domain.resolution import CONFIG_FIELDS
from app.registry import repos
from app.web import admission
from app.web.admission import Place
from app.web.rendering import kept, page
from app.web.repo import filters, summary, table, timeline
from app.web.repo.filters import FilterForm, Query
from app.wire import addresses, context
from app.wire.sending import Pieces

blueprint = admission.pages("repo")


@blueprint.get("/<user:owner>/<repo_name>")
def show(owner: str, repo_name: str) -> Response:
    """Show a repo: its targets, what else it has, and its latest commits; 422 where the address has mistakes."""
    place = admission.place()
    form, query = filters.read()
    if query is None:
        return page("repo/repo.html", 422, **_shown(place, form, None))
    return kept("repo/repo.html", lambda: _shown(place, form, query))


def _shown(place: Place, form: FilterForm, query: Query | None) -> dict[str, Any]:
    found = None if query is None else table.read(place, query)
    return {
        "form": form,
        "query": query,
        "table": found,
        "repo": repos.describe(place.snapshot, place.owner),
        "summary": summary.read(place, [line.name for line in found.lines] if found else []),
        "events": timeline.read(place),
        "config_fields": CONFIG_FIELDS,
        "clone_url": addresses.clone_url(place.owner, place.repo_name),
        "api_url": addresses.base(),
    }


@blueprint.get("/<user:owner>/<repo_name>/targets.csv")
def as_csv(owner: str, repo_name: str) -> Response | Redirect:
    """Send the whole table, as the page shows it, as a CSV file; the page tells the mistakes of an address."""
    place = admission.place()
    _, query = filters.read()
    if query is None:
        page_of_repo = url_for("web.repo.show", owner=owner, repo_name=repo_name)
        return redirect(f"{page_of_repo}?{request.query_string.decode('ascii', 'replace')}", 303)
    pieces = Pieces(table.as_csv(place, query), context.stream())
    response = Response(pieces, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{repo_name}.csv"'
    return response

"""The timelines of a repo, and of a target, a prompt or the default."""

from flask import Response

from app.web import admission
from app.web.history import compare_views, log_form, put_back_views, timeline
from app.web.history.blueprint import DEFAULT, PROMPT, REPO, TARGET, blueprint
from app.web.parts import addressed
from app.web.rendering import page

__all__ = ["blueprint", "compare_views", "put_back_views"]  # their views are in the blueprint, too


@blueprint.get(f"{REPO}/history")
def of_repo(owner: str, repo_name: str) -> Response:
    """Show the log of a repo, filtered as the form says; 422 where the form has mistakes."""
    place = admission.place()
    form, query = log_form.read()
    found = None if query is None else timeline.of_repo(place, query)
    return page("history/repo.html", 422 if found is None else 200, form=form, timeline=found)


@blueprint.get(f"{TARGET}/history", endpoint="of_target")
@blueprint.get(f"{PROMPT}/history", endpoint="of_prompt")
@blueprint.get(f"{DEFAULT}/history", endpoint="of_default")
def of_thing(**_: str) -> Response:
    """Show the history of a target, a prompt or the default; a deleted one keeps its history."""
    thing = addressed.thing()
    found = timeline.of_thing(admission.place(), thing, log_form.read_page())
    return page("history/thing.html", kind=addressed.kind(thing), name=thing.name, timeline=found)

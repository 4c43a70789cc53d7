"""The pages of the things that a search finds."""

from typing import Any

from flask import request, url_for

from app.domain.names import DEFAULT_TEMPLATE, RESERVED
from app.registry.audit.searched import Kind
from app.wire.contract import PATH_NAMES

# The endpoint of each kind, and which argument has the name.
_PAGES = {
    Kind.REPOS: ("web.repo.show", None),
    Kind.TARGETS: ("web.target.show", "target_name"),
    Kind.PROMPTS: ("web.prompts.show", "prompt_name"),
    Kind.LABELS: ("web.labels.show", "label_name"),
    Kind.TAGS: ("web.repo.show", "ref"),
    Kind.REASONS: ("web.repo.show", "ref"),
}


def address(kind: Kind, owner: str, repo_name: str, name: str) -> str | None:
    """Return the page of a thing, at the ref of this request; None where its name, or its owner, has no page."""
    endpoint, argument = _PAGES[kind]
    if kind is Kind.TARGETS and name == DEFAULT_TEMPLATE:
        endpoint, argument = "web.target.show_default", None
    rule = PATH_NAMES.get(argument or "")
    if owner in RESERVED or (rule and rule.find_problem(name)):
        return None
    values: dict[str, Any] = {"ref": request.args.get("ref"), **({} if argument is None else {argument: name})}
    return url_for(endpoint, owner=owner, repo_name=repo_name, **values)

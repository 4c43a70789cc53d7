"""`/v1/repo/{repo_name}/targets/{target_name}/…`: explain, drift, descendants and rebase."""

from typing import Any

from flask import Blueprint

from app.api import examples, payloads
from app.domain.budgets import Room
from app.domain.errors import TooMuchToRead
from app.registry.audit import lineage
from app.registry.configs import rebase, targets, usage
from app.registry.configs.rebase import Drift
from app.registry.configs.target_files import FOLDER
from app.schemas.history import FullQuerySchema
from app.schemas.lineage import ExplainQuerySchema, ExplanationSchema
from app.schemas.rebase import (
    DescendantListSchema,
    DescendantQuerySchema,
    DriftSchema,
    RebasedSchema,
    RebaseSchema,
)
from app.wire import allowance, context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("lineage", __name__, url_prefix="/v1/repo/<repo_name>/targets/<item:target_name>")
blueprint.before_request(context.authorize)


@blueprint.get("/explain")
@accepts(query=ExplainQuerySchema, conditions=("If-None-Match",))
@returns(ExplanationSchema, 200, 304, errors=(404, 409), headers=versions.ANSWER_HEADERS)
def explain_target(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Explain a target: for each field of its config, who set it, when, and which values it replaced."""
    repository, snapshot = context.repository(repo_name), context.snapshot(repo_name, query)
    FOLDER.expect(snapshot, target_name)

    def explained() -> dict[str, Any]:
        target = targets.get(snapshot, target_name)
        found = lineage.explain(repository, snapshot, target, payloads.explanation_page(query))
        return {"target_name": target_name, **payloads.explanation(repository, found, full=query["full"])}

    version = versions.of_answer(snapshot, query)
    return explained, 304 if versions.is_known(version) else 200, versions.headers(version, snapshot.commit)


@blueprint.get("/drift")
@accepts(query=FullQuerySchema)
@returns(DriftSchema, 200, errors=(404, 409, 413), headers=versions.COMMIT_HEADERS)
def get_drift(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """Show what would change if a target were resolved on the current template."""
    snapshot = context.snapshot(repo_name, query)
    found = rebase.drift(snapshot, target_name, work=allowance.work())
    return _drift(found, full=query["full"]), 200, versions.commit_headers(snapshot)


@blueprint.get("/descendants")
@accepts(query=DescendantQuerySchema)
@returns(DescendantListSchema, 200, errors=(404, 409, 413), headers=versions.COMMIT_HEADERS)
def list_descendants(repo_name: str, target_name: str, query: dict[str, Any]) -> Answer:
    """List all targets made from a target, directly or not, each with its drift."""
    snapshot = context.snapshot(repo_name, query)
    FOLDER.expect(snapshot, target_name)
    names = usage.descendants(snapshot, target_name)
    work, space = allowance.work(), allowance.room()
    found: list[dict[str, Any]] = []
    for name, depth in names[query["offset"] :]:
        try:
            shown = {**_drift(rebase.drift(snapshot, name, depth, work), full=query["full"]), "depth": depth}
        except TooMuchToRead:
            if not found:
                raise
            break
        if not space.fits(shown):
            break
        found.append(shown)
    end = query["offset"] + len(found)
    following = {"ref": snapshot.commit, "offset": end} if end < len(names) else None
    return {"descendants": found, "next": following}, 200, versions.commit_headers(snapshot)


@blueprint.post("/rebase")
@accepts(RebaseSchema, example=examples.REBASE, conditions=versions.CONDITIONS)
@returns(RebasedSchema, 200, errors=(404, 409, 412), headers=versions.COMMIT_HEADERS)
def rebase_target(repo_name: str, target_name: str, body: dict[str, Any]) -> Answer:
    """Resolve a target again on the current template, and with `descendants` all targets made from it.

    All of this is one commit. A target that was its own template gets its original template back.
    """
    rebased = rebase.rebase(
        context.repository(repo_name),
        context.origin(),
        target_name,
        versions.precondition(),
        with_descendants=body["descendants"],
        dry_run=body["dry_run"],
    )
    space = allowance.room()
    changed = [_rebased(found, space) for found in rebased.changed]
    answer = {"dry_run": body["dry_run"], "targets": changed, **payloads.warned(rebased.warnings)}
    return answer, 200, {"Git-Commit": rebased.commit}


def _drift(drift: Drift, *, full: bool) -> dict[str, Any]:
    gone = drift.rebased is None
    return {
        "target_name": drift.target.name,
        "template": drift.template,
        "state": "template_gone" if gone else "current" if drift.is_current else "drifted",
        **payloads.comparison(drift.differences, allowance.room(), full=full),
    }


def _rebased(drift: Drift, space: Room) -> dict[str, Any]:
    after = drift.rebased or drift.target
    return {
        "target_name": after.name,
        "template": after.template,
        "template_version": after.template_version,
        **payloads.comparison(drift.differences, space, full=False),
    }

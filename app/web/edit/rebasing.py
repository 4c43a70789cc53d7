"""Rebase in the browser: what a target, and all that was made from it, would get from today's templates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Response, flash, redirect, request, url_for

from app.domain.errors import Conflict, PreconditionFailed
from app.domain.preconditions import UNCONDITIONAL
from app.registry.configs import rebase, targets, usage
from app.registry.configs.rebase import Drift
from app.registry.field_changes import plural
from app.web import admission
from app.web.admission import Place
from app.web.edit.editing import Answer
from app.web.edit.previews import Row
from app.web.rendering import page
from app.wire.context import InvalidHeader

_MOST_TARGETS, _MOST_ROWS = 50, 20  # that a page shows


@dataclass(frozen=True, slots=True)
class Shown:
    """A target that a rebase changes: its template, the values that differ, and how many are not shown."""

    name: str
    template: str
    rows: Sequence[Row]
    more: int

    @classmethod
    def of(cls, found: Drift) -> "Shown":
        """Return what a rebase changes in a target."""
        differences = found.differences
        rows = [Row.of(each) for each in differences[:_MOST_ROWS]]
        return cls(found.target.name, found.template, rows, len(differences) - len(rows))


def show(place: Place, name: str, with_descendants: bool, mistake: str | None = None, status: int = 200) -> Response:
    """Show what a rebase would do. Nothing is written."""
    target = targets.get(place.snapshot, name)
    try:
        found = rebase.rebase(
            place.repository,
            admission.origin(),
            name,
            UNCONDITIONAL,
            with_descendants=with_descendants,
            dry_run=True,
        )
    except Conflict as error:  # the template of one of them is gone
        found, mistake = rebase.Rebased([], [], place.snapshot.commit), str(error)
    return page(
        "edit/rebase.html",
        status,
        target=target,
        with_descendants=with_descendants,
        shown=[Shown.of(each) for each in found.changed[:_MOST_TARGETS]],
        count=len(found.changed),
        outcome=found.outcome,
        descendants=len(usage.descendants(place.snapshot, name, skips_damaged=True)),
        warnings=found.warnings,
        mistake=mistake,
        reason=request.form.get("reason", ""),
    )


def carry_out(place: Place, name: str) -> Answer:
    """Rebase a target, as the form says."""
    form = request.form
    with_descendants = "descendants" in form
    try:
        done = rebase.rebase(
            place.repository,
            admission.origin(form.get("reason")),
            name,
            UNCONDITIONAL,
            with_descendants=with_descendants,
            dry_run=False,
            outcome=form.get("outcome", ""),
        )
    except PreconditionFailed:
        now = replace(place, snapshot=place.repository.head())
        mistake = "Somebody wrote one of the targets meanwhile, or a template. Look again at what the rebase changes."
        return show(now, name, with_descendants, mistake, 412)
    except (Conflict, InvalidHeader) as error:
        return show(place, name, with_descendants, str(error), 409 if isinstance(error, Conflict) else 422)
    flash(f"Rebased {plural(len(done.changed), 'target')}.")
    for warning in done.warnings:
        flash(warning, "warning")
    there = url_for("web.target.show", owner=place.owner, repo_name=place.repo_name, target_name=name)
    return redirect(there, 303)

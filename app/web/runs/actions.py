"""What people do with runs by a form: they start, cancel and delete them."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.domain.manifests import Kind
from app.runs import failures, reading, starting
from app.runs.failures import BudgetSpent, NotReady
from app.runs.ledger.runs import COMPLETE, FAILED, Run
from app.web import admission
from app.web.admission import Place
from app.web.rendering import page
from app.web.runs import page as pages
from app.wire import context


def show_target(place: Place, target_name: str, problems: tuple[str, ...] = (), status: int = 200) -> Response:
    """Return the page of a target's runs, with what kept one from starting."""
    now, listed = pages.now(place, target_name), pages.listed(place, target_name)
    said = {"target_name": target_name, "now": now, "listed": listed, "problems": problems}
    return page("runs/target.html", status, **said)


def start(place: Place, target_name: str, kind: Kind) -> Response | Redirect:
    """Start a run, and lead to it; what keeps it from starting is told on the page of the target's runs."""
    origin, where = admission.origin(request.form.get("reason")), f"{place.owner}/{place.repo_name}"
    try:
        run = starting.start(context.services().runs, where, place.repository, target_name, kind, origin)
    except NotReady as error:
        return show_target(place, target_name, tuple(failures.told(error.problems)), 400)
    except BudgetSpent as error:
        return show_target(place, target_name, (str(error),), 402)
    how = {COMPLETE: "is complete", FAILED: "has failed"}.get(run.state, "goes on")
    flash(f"The {kind} {how}.")
    return _lead_to(place, run)


def cancel(place: Place, run: Run) -> Redirect:
    """Cancel a run, and lead to it."""
    was_going_on = reading.cancel_one(context.services().runs, run.id, admission.origin(request.form.get("reason")))
    flash("The run is cancelled. Its rows stay." if was_going_on else "The run was over already.")
    return _lead_to(place, run)


def delete(place: Place, run: Run) -> Redirect:
    """Delete a run, and lead to the other runs of its target; InUse where it is needed still."""
    origin = admission.origin(request.form.get("reason"))
    reading.delete(context.services().runs, place.repository, run.target, run.key, origin)
    flash(f"The {run.kind} is deleted, with its {run.done:,} rows.")
    address = url_for("web.runs.of_target", owner=place.owner, repo_name=place.repo_name, target_name=run.target)
    return redirect(address, 303)


def _lead_to(place: Place, run: Run) -> Redirect:
    owner, name = place.owner, place.repo_name
    address = url_for("web.runs.show", owner=owner, repo_name=name, target_name=run.target, run_key=run.key)
    return redirect(address, 303)

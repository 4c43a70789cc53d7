"""Sweeps: the targets that a form comes to, each with what is wrong with it, and all of them in one commit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, flash, redirect, request, url_for

from app.domain.differences import is_same
from app.domain.errors import Conflict, NameNotPortable, NotFound
from app.domain.names import DEFAULT_TEMPLATE, refuse_unportable
from app.domain.preconditions import UNCONDITIONAL
from app.domain.resolution import CONFIG_FIELDS
from app.registry.configs import references, target_batches, target_files, target_requests
from app.registry.configs.target_requests import TargetRequest
from app.registry.field_changes import plural
from app.schemas.base import InvalidRequest, load
from app.schemas.fields import new_names_up_to
from app.schemas.targets import TargetCreateSchema
from app.web import admission
from app.web.admission import Place
from app.web.edit import sweep_form
from app.web.edit.editing import Answer
from app.web.edit.editor_page import MOST_OFFERED
from app.web.edit.sweep_form import MOST, SweepForm
from app.web.rendering import page
from app.wire.context import InvalidHeader, services
from storage.errors import TooLarge


@dataclass
class Planned:
    """A target that the sweep would make. `state` is `new`, `there` where it is so already, or `wrong`."""

    name: str
    cells: Sequence[tuple[str, Any]]
    state: str = "new"
    problems: list[str] = field(default_factory=list)
    warnings: Sequence[str] = ()
    request: TargetRequest | None = None


def show(
    place: Place, form: SweepForm, plan: Sequence[Planned] | None = None, status: int = 200, mistake: str | None = None
) -> Response:
    """Show the form of a sweep, and the table of the targets to be."""
    snapshot = place.snapshot
    return page(
        "edit/sweep.html",
        status,
        form=form,
        plan=plan,
        mistake=mistake,
        states=Counter(planned.state for planned in plan or ()),
        most=MOST,
        fields=CONFIG_FIELDS,
        reason=request.form.get("reason", ""),
        templates=[DEFAULT_TEMPLATE, *target_files.FOLDER.names(snapshot)[:MOST_OFFERED]],
    )


def answer(place: Place) -> Answer:
    """Show the table of the targets, or make them, as the pressed button says."""
    form, pressed = SweepForm.from_form(request.form), request.form.get("do", "preview")
    if pressed.startswith(("add", "remove")):
        form.act(pressed)
        return show(place, form)
    plan = _plan(place, form)
    is_wrong = bool(form.mistakes) or any(planned.problems for planned in plan)
    if pressed != "save" or is_wrong:
        return show(place, form, plan, 422 if pressed == "save" else 200)
    try:
        return _write(place, plan)
    except (Conflict, TooLarge) as error:
        return show(place, form, plan, 409 if isinstance(error, Conflict) else 422, str(error))
    except InvalidHeader as error:
        return show(place, form, plan, 422, str(error))


def _plan(place: Place, form: SweepForm) -> list[Planned]:
    """Return the targets that a form comes to; none where it has mistakes, which are put at its fields."""
    combinations = form.combinations()
    form.check_pattern(combinations)
    try:
        target_files.read_template(place.snapshot, form.template)
    except NotFound as error:
        form.mistakes["template"] = [str(error)]
    if form.mistakes:
        return []
    plan = []
    for number, combination in enumerate(combinations, 1):
        planned = Planned(form.name(number, combination), list(sweep_form.told(combination)))
        _look_at(place, form.template, sweep_form.overrides(combination), planned)
        plan.append(planned)
    names = Counter(planned.name.lower() for planned in plan)
    for planned in plan:
        if names[planned.name.lower()] > 1:
            planned.state = "wrong"
            planned.problems.append(
                "Another target of the sweep has this name. Put {n} or another field in the pattern"
            )
    return plan


def _look_at(place: Place, template: str, overrides: dict[str, Any], planned: Planned) -> None:
    """Find out whether a target may be made, and whether it is there already."""
    body = {"target_name": planned.name, "template": template, "overrides": overrides}
    try:
        with new_names_up_to(services().settings.max_name):
            loaded = load(TargetCreateSchema(), body, ())
        asked = TargetRequest.of(planned.name, template, loaded["overrides"])
        existing = target_files.read(place.snapshot, planned.name)
        if existing is None:
            refuse_unportable("target_name", target_files.FOLDER.path(planned.name))
        target, _ = target_requests.resolved(place.snapshot, asked)
    except InvalidRequest as error:
        planned.problems += [_told(*mistake) for mistake in error.told]
    except (Conflict, NameNotPortable) as error:
        planned.problems.append(str(error))
    else:
        planned.request = asked
        planned.warnings = list(references.dangling(place.snapshot, target.config, asked.files))
        if existing is not None and is_same(existing.config, target.config):
            planned.state = "there"
        elif existing is not None:
            planned.problems.append("A target of this name is there, with another configuration")
    if planned.problems:
        planned.state = "wrong"


def _told(location: tuple[str | int, ...], mistake: Any) -> str:
    place = ".".join(str(key) for key in location if key not in ("overrides", "target_name"))
    return f"{place}: {mistake.message}" if place else str(mistake.message)


def _write(place: Place, plan: Sequence[Planned]) -> Answer:
    requests = [planned.request for planned in plan if planned.request is not None]
    origin = admission.origin(request.form.get("reason"))
    written = target_batches.write_all(place.repository, origin, requests, UNCONDITIONAL, replacing=False)
    new = sum(planned.state == "new" and planned.name in written.versions for planned in plan)
    failed = [f"Target '{name}' could not be made: {why}" for name, why in written.failed.items()]
    flash(f"Made {plural(new, 'target')} in one commit.")
    for warning in (*failed, *written.warnings):
        flash(warning, "warning")
    return redirect(url_for("web.repo.show", owner=place.owner, repo_name=place.repo_name), 303)

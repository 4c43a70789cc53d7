"""The plan of a run: what the run of a target at a commit would be, and everything that is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import extra_kwargs
from app.domain.manifests import Kind
from app.domain.names import quoted
from app.domain.resolution import Config
from app.registry.configs import prompts, targets
from app.registry.configs.prompts import Prompt
from app.runs.failures import NotReady
from app.runs.ledger.runs import COMPLETE, Run
from app.runs.needs import Needs
from app.runs.recipe import keys
from app.runs.recipe.rows import Context
from app.runs.services import Runs
from app.runs.stimuli import Stimuli
from storage.repository import Repository
from storage.snapshot import Snapshot

STIM: Kind = "stim"
ROLLOUT: Kind = "rollout"
STIM_CONFIG = ("generators", "teacher_prompt", "student_prompt")
_ROLLOUT_CONFIG = ("model_name", "num_traj_per_stimulus", "max_concurrency", "max_tokens", "temperature")
_MOST_ROWS = 10_000_000  # of a rollout: a worker has a byte of memory for each
_ONE_SEED = (
    "extra_kwargs: all trajectories of a stimulus are asked with the `seed` that it has, so they may be equal. "
    "Without `seed` each has a seed of its own."
)
_FIRST = {
    "num_traj_per_stimulus": 1,
    "max_concurrency": 10,
}  # where the config has none, or null that somebody wrote by hand


@dataclass(frozen=True, slots=True)
class Plan:
    """A run as a target at a commit makes it. `needs_model` tells whether a worker has to ask a model for it."""

    kind: Kind
    key: str
    inputs: Mapping[str, Any]
    config: Mapping[str, Any]
    context: Mapping[str, Any]
    total: int
    warnings: list[str]
    needs_model: bool
    stim: int | None = None


def make(
    runs: Runs, repository: Repository, snapshot: Snapshot, target: str, kind: Kind, *, may_load: bool = True
) -> Plan:
    """Return the plan of a run of a target; NotReady says everything that is missing, NotFound without the target.

    Unless it `may_load` data sets from the hub, one that is not loaded yet counts as missing where the plan depends on
    its size.
    """
    config = targets.get(snapshot, target).config
    if kind == STIM:
        return _stim(runs, snapshot, config, may_load)
    return _rollout(runs, repository, snapshot, target, config, may_load)


def content(snapshot: Snapshot, target: str, kind: Kind) -> Mapping[str, Any] | None:
    """Return what git has of the inputs of a run of a target, as `keys.of_git` does; NotFound without the target.

    None where a prompt is missing, so that there can be no run.
    """
    config = targets.get(snapshot, target).config
    teacher, student = _prompt(snapshot, config, "teacher_prompt", []), _prompt(snapshot, config, "student_prompt", [])
    if teacher is None or student is None:
        return None
    generators = [Needs.of(None, snapshot, *found).inputs for found in enumerate(config.get("generators") or [])]
    stim = keys.stim_inputs(teacher.version, student.version or None, generators)
    if kind == STIM:
        return keys.of_git(stim)
    return keys.of_git(keys.rollout_inputs("", _with_defaults(config), {}), stim)


def _stim(runs: Runs, snapshot: Snapshot, config: Config, may_load: bool) -> Plan:
    problems: list[str] = []
    teacher = _prompt(snapshot, config, "teacher_prompt", problems)
    student = _prompt(snapshot, config, "student_prompt", problems)
    stimuli = Stimuli.of(runs, snapshot, config.get("generators") or [], may_load=may_load)
    if not stimuli.generators:
        problems.append("generators: a stim needs at least one generator, which makes its questions.")
    problems += stimuli.problems
    if problems or teacher is None or student is None:
        raise NotReady(problems)
    inputs = keys.stim_inputs(teacher.version, student.version or None, stimuli.inputs)
    context = Context(teacher.messages, student.messages, teacher.tools or student.tools, stimuli.conditioned)
    shown = {name: config[name] for name in STIM_CONFIG if name in config}
    return Plan(
        STIM,
        keys.of_inputs(inputs),
        inputs,
        shown,
        context.to_json() | {"templates": stimuli.templates},
        stimuli.total,
        stimuli.warnings,
        stimuli.needs_model,
    )


def _rollout(
    runs: Runs, repository: Repository, snapshot: Snapshot, target: str, config: Config, may_load: bool
) -> Plan:
    problems: list[str] = []
    stim = None
    try:
        stim = _complete_stim(runs, repository, target, _stim(runs, snapshot, config, may_load))
    except NotReady as error:
        problems += error.problems
    config = _with_defaults(config)
    model = config.get("model_name")
    endpoint = runs.endpoints.find(model) if model else None
    if not model:
        problems.append("model_name: a rollout needs the name of the model that answers.")
    elif endpoint is None:
        problems.append(f"model_name: {runs.endpoints.missing(model)}")
    problems += extra_kwargs.problems(config.get("extra_kwargs") or {})
    width = config["num_traj_per_stimulus"]
    if stim is not None:
        problems += rows_problems(width, stim.total)
    if problems or stim is None or endpoint is None:
        raise NotReady(problems)
    inputs = keys.rollout_inputs(stim.key, config, keys.of_endpoint(endpoint.name, takes_seed=endpoint.takes_seed))
    shown = {name: config[name] for name in (*_ROLLOUT_CONFIG, "extra_kwargs") if config.get(name) not in (None, {})}
    warnings = [*extra_kwargs.winners(config)]
    if width > 1 and "seed" in extra_kwargs.merged(config.get("extra_kwargs")):
        warnings.append(_ONE_SEED)
    key, total = keys.of_inputs(inputs), stim.total * width
    return Plan(ROLLOUT, key, inputs, shown, {}, total, warnings, needs_model=True, stim=stim.id)


def _with_defaults(config: Config) -> Config:
    return _FIRST | {name: value for name, value in config.items() if value is not None}


def rows_problems(width: int, stimuli: int) -> list[str]:
    """Return what is wrong where a rollout would have too many rows: `width` trajectories of each stimulus."""
    if stimuli * width <= _MOST_ROWS:
        return []
    return [f"num_traj_per_stimulus: {width} trajectories of {stimuli} stimuli are more than {_MOST_ROWS} rows."]


def _complete_stim(runs: Runs, repository: Repository, target: str, plan: Plan) -> Run:
    """Return the stim that a rollout stands on; NotReady where it is not complete."""
    found = runs.table.find(repository.identity(), target, STIM, plan.key)
    if found is not None and found.state == COMPLETE:
        return found
    state = "was not started" if found is None else f"is {found.state}"
    raise NotReady([f"A rollout needs the stim of the target as it is now, which {state}. Start the stim first."])


def _prompt(snapshot: Snapshot, config: Config, field: str, problems: list[str]) -> Prompt | None:
    """Return a prompt; one without messages for an empty name. None where it is missing, and a problem tells so."""
    name = config.get(field)
    if name is None:
        problems.append(f"{field}: a stim needs a {field.replace('_', ' ')}. Set it to the name of a prompt.")
        return None
    if name == "":
        return Prompt("", [])
    found = prompts.read(snapshot, name)
    if found is None:
        problems.append(f"{field}: there is no prompt {quoted(name)}. Create the prompt, or name another one.")
    return found

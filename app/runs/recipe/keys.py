"""The key of a run: a hash of everything that its rows depend on."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain import canonical_json
from app.domain.extra_kwargs import NESTED

_VERSION = 1  # of how rows are made; another version makes other runs
_LARGEST = 2**53  # of the floats that are integers exactly, in any program
_BLOB_ID = 40  # hex digits
# What git does not have of the inputs of a run.
_NOT_OF_GIT = frozenset(("version", "number", "digest", "bank", "endpoint", "takes_seed", "stim"))

# The fields of a target's config that matter to the rows of a rollout. How many requests are out at a time does not.
_ROLLOUT = ("model_name", "num_traj_per_stimulus", "max_tokens", "temperature", "extra_kwargs")


def of_inputs(inputs: Mapping[str, Any]) -> str:
    """Return the key of a run with some inputs: 64 hex digits."""
    return canonical_json.digest(inputs)


def stim_inputs(teacher: str, student: str | None, generators: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a stim depends on.

    `teacher` and `student` are blob ids of prompts; the student's is None where it is empty. Each generator has the
    fields that its questions depend on, their number, and what it uses: the blob id of its question template, the
    digest of its data set or of the question bank, its endpoint as `of_endpoint` says. Instead of questions it has
    their digest, so that the inputs stay small.
    """
    return {
        "kind": "stim",
        "version": _VERSION,
        "teacher_prompt": teacher,
        "student_prompt": student,
        "generators": [_plain(generator) for generator in generators],
    }


def rollout_inputs(stim: str, config: Mapping[str, Any], endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rollout depends on: the key of its stim, its part of the config, and what `of_endpoint` says."""
    part = {name: config.get(name) for name in _ROLLOUT}
    extra = part["extra_kwargs"] or {}
    part["extra_kwargs"] = {name: value for name, value in extra.items() if (name, value) != (NESTED, {})}
    return {
        "kind": "rollout",
        "version": _VERSION,
        "stim": stim,
        **endpoint,
        **{name: _plain(value) for name, value in part.items() if value not in (None, {})},
    }


def of_endpoint(name: str, *, takes_seed: bool) -> dict[str, Any]:
    """Return what requests depend on of an endpoint: its name, and that it takes no seed where it takes none."""
    return {"endpoint": name} if takes_seed else {"endpoint": name, "takes_seed": False}


def of_git(inputs: Mapping[str, Any], stim: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what git has of the inputs of a run; with those of its `stim`, which a rollout has only the key of."""
    found = {name: value for name, value in inputs.items() if _is_of_git(name, value)}
    if "generators" in found:
        found["generators"] = [of_git(generator) for generator in found["generators"]]
    return found if stim is None else found | {"stim": of_git(stim)}


def _is_of_git(name: str, value: Any) -> bool:
    """Tell whether an input is in git. A question template is, unless it is ours, which goes by its SHA-256."""
    return name not in _NOT_OF_GIT and not (name == "template" and len(value) > _BLOB_ID)


def _plain(value: Any) -> Any:
    """Return a JSON value with integers for whole floats: 1 and 1.0 are one number, and -0.0 is 0."""
    if isinstance(value, Mapping):
        return {name: _plain(found) for name, found in value.items()}
    if isinstance(value, list):
        return [_plain(found) for found in value]
    is_whole = isinstance(value, float) and abs(value) <= _LARGEST and value.is_integer()
    return int(value) if is_whole else value

"""The key of a run: a hash of everything that its rows depend on."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain import canonical_json

_VERSION = 1  # of how rows are made; another version makes other runs

# The fields of a target's config that matter to the rows of a rollout. How many requests are out at a time does not.
_ROLLOUT = ("model_name", "num_traj_per_stimulus", "max_tokens", "temperature", "extra_kwargs")


def of_inputs(inputs: Mapping[str, Any]) -> str:
    """Return the key of a run with some inputs: 64 hex digits."""
    return canonical_json.digest(inputs)


def stim_inputs(teacher: str, student: str | None, generators: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a stim depends on.

    `teacher` and `student` are blob ids of prompts; the student's is None where it is empty. Each generator has the
    fields that its questions depend on, their number, and what it uses: the blob id of its question template, the
    digest of its data set or of the question bank, the name of its endpoint. Instead of questions it has their digest,
    so that the inputs stay small.
    """
    return {
        "kind": "stim",
        "version": _VERSION,
        "teacher_prompt": teacher,
        "student_prompt": student,
        "generators": list(generators),
    }


def rollout_inputs(stim: str, config: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    """Return what a rollout depends on: the key of its stim, its part of the config, and the endpoint's name."""
    return {
        "kind": "rollout",
        "version": _VERSION,
        "stim": stim,
        "endpoint": endpoint,
        **{name: config[name] for name in _ROLLOUT if config.get(name) not in (None, {})},
    }

"""The generators of a target, with all that they need from the repo, the data sets and the endpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.canonical_json import digest
from app.runs.services import Runs
from storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Stimuli:
    """What the generators of a target come to.

    `inputs` is what each generator's questions depend on, `total` the number of questions, `problems` what is missing.
    """

    generators: Sequence[Mapping[str, Any]]
    inputs: Sequence[Mapping[str, Any]]
    total: int
    conditioned: Sequence[int]
    problems: Sequence[str]
    warnings: list[str]
    needs_model: bool
    bank: str | None

    @classmethod
    def of(cls, runs: Runs, snapshot: Snapshot, generators: Sequence[Mapping[str, Any]]) -> "Stimuli":
        """Return what generators come to at a commit."""
        del runs, snapshot
        total = sum(len(generator["questions"][: generator.get("numq")]) for generator in generators)
        conditioned = [at for at, found in enumerate(generators) if found.get("rollout_with_conditioned")]
        inputs = [{**generator, "questions": digest(generator["questions"])} for generator in generators]
        return cls(generators, inputs, total, conditioned, [], [], needs_model=False, bank=None)

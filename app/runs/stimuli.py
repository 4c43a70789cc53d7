"""The generators of a target, with all that they need from the repo, the data sets and the endpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.runs.needs import Needs
from app.runs.recipe.generators import ASKING, Generator, is_conditioned
from app.runs.services import Runs
from storage.snapshot import Snapshot

_MOST = 1_000_000  # questions of a target
_MOST_GENERATORS = 100  # each GET of a run looks at what all of them need


@dataclass(frozen=True, slots=True)
class Stimuli:
    """What the generators of a target make and lack.

    `inputs` is what each generator's questions depend on, `total` the number of questions, `templates` the texts of
    question templates by the names that `inputs` has, `problems` everything that is missing.
    """

    generators: Sequence[Generator]
    inputs: Sequence[Mapping[str, Any]]
    total: int
    conditioned: Sequence[int]
    problems: Sequence[str]
    warnings: list[str]
    needs_model: bool
    templates: Mapping[str, str]

    @classmethod
    def of(cls, runs: Runs, snapshot: Snapshot, generators: Sequence[Generator], *, may_load: bool = True) -> "Stimuli":
        """Return what generators make and lack at a commit; `may_load` as in `plans.make`. Too many are refused."""
        if len(generators) > _MOST_GENERATORS:
            text = f"generators: there are {len(generators)}, and a stim may have {_MOST_GENERATORS}. Leave some out."
            return cls(generators, [], 0, [], [text], [], needs_model=False, templates={})
        found = [Needs.of(runs, snapshot, at, one, may_load=may_load) for at, one in enumerate(generators)]
        total = sum(needs.number for needs in found)
        problems = [problem for needs in found for problem in needs.problems]
        if total > _MOST:
            problems.append(f"generators: they make {total} questions, and {_MOST} are allowed. Set a smaller numq.")
        return cls(
            generators,
            [needs.inputs for needs in found],
            total,
            [index for index, generator in enumerate(generators) if is_conditioned(generator)],
            problems,
            [warning for needs in found for warning in needs.warnings],
            any(generator["type"] in ASKING for generator in generators),
            {name: text for needs in found for name, text in needs.templates.items()},
        )

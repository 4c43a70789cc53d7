"""Questions that somebody wrote: those of a generator, of a data set, or of the question bank."""

from collections.abc import Callable, Sequence

from app.runs.datasets import Datasets
from app.runs.ledger.runs import Run
from app.runs.recipe import generators, question_bank
from app.runs.recipe.generators import PERSONA

Read = Callable[[int, int], Sequence[str]]  # the questions from one position to before another


def reader(datasets: Datasets, run: Run, index: int) -> Read:
    """Return what reads the questions of a generator, a part at a time.

    It, and what it returns, raise DatasetProblem where the data set is not there as it was when the run was started.
    """
    generator, inputs = run.config["generators"][index], run.inputs["generators"][index]
    if generator["type"] == "hardcoded":
        questions: list[str] = generator["questions"]
        return lambda first, end: questions[first:end]
    if "bank" in inputs:
        bank = question_bank.questions()
        drawn = generators.indexes(generator, len(bank), run.key, index)
        return lambda first, end: [bank[at] for at in drawn[first:end]]
    name, digest = PERSONA if generator["type"] == PERSONA else generator["dataset"], inputs["digest"]
    datasets.questions(name, [], digest)  # refuses another content
    drawn = generators.indexes(generator, datasets.size(name), run.key, index)
    return lambda first, end: datasets.questions(name, drawn[first:end], digest)

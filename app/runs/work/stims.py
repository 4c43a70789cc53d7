"""Stims carried out: each generator's questions become rows."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from app.domain import canonical_json
from app.runs.datasets import DatasetProblem
from app.runs.failures import RunFailed
from app.runs.ledger.leases import Lease
from app.runs.ledger.rows import Row
from app.runs.ledger.runs import BUDGET, Run
from app.runs.models.answers import Answer
from app.runs.models.permits import Permits
from app.runs.recipe import texts
from app.runs.recipe.generators import ASKING
from app.runs.recipe.progress import Progress
from app.runs.services import Runs
from app.runs.work import taken_questions
from app.runs.work.asked_questions import Wanted, ask_for_questions
from app.runs.work.recorder import Recorder

_WINDOW = 1000  # questions that are in memory at a time


async def carry_out(runs: Runs, run: Run, lease: Lease, is_stopping: Callable[[], bool]) -> None:
    """Make the questions that a stim lacks. RunFailed or Refused where it cannot go on; Stopped."""
    progress = await asyncio.to_thread(_progress, runs, run)
    recorder = Recorder(lease, progress, is_stopping=is_stopping)
    await recorder.run(_Stim(runs, run, lease, progress, recorder).work)


def _progress(runs: Runs, run: Run) -> Progress:
    progress = Progress(run.total)
    for row in runs.rows.present(run.id):
        progress.mark(row.stimulus)
    return progress


class _Stim:
    """A stim that goes on: one generator after the other, so that one request is out at a time."""

    def __init__(self, runs: Runs, run: Run, lease: Lease, progress: Progress, recorder: Recorder) -> None:
        self._runs = runs
        self._run = run
        self._lease = lease
        self._progress = progress
        self._recorder = recorder
        self._tokens = run.tokens_in + run.tokens_out

    async def work(self) -> None:
        """Make what is missing. The numbers of a generator's stimuli follow those of the one before."""
        first = 0
        for index, generator in enumerate(self._run.config["generators"]):
            number = self._run.inputs["generators"][index]["number"]
            if any(map(self._progress.is_missing, range(first, first + number))):
                make = self._ask if generator["type"] in ASKING else self._take
                await make(index, first, number)
            first += number

    async def _take(self, index: int, first: int, number: int) -> None:
        """Take questions that somebody wrote. RunFailed where the data set is not what it was."""
        try:
            read = await asyncio.to_thread(taken_questions.reader, self._runs.datasets, self._run, index)
            for start in range(0, number, _WINDOW):
                questions = await asyncio.to_thread(read, start, min(start + _WINDOW, number))
                await self._record(index, first + start, questions)
        except DatasetProblem as error:
            raise RunFailed("dataset", f"generators.{index}: {error}") from error

    async def _ask(self, index: int, first: int, number: int) -> None:
        """Ask a model for the questions that are not there yet."""
        from app.runs.models.asking import ask  # a web server asks no model, and needs no client of HTTP
        from app.runs.models.client import ModelClient

        generator, inputs = self._run.config["generators"][index], self._run.inputs["generators"][index]
        endpoint = self._runs.endpoint(generator["model"], inputs)
        context = await asyncio.to_thread(self._runs.table.context, self._run.id)
        template, prompt_u = context["templates"][inputs["template"]], texts.as_text(context["teacher"])
        wanted = Wanted(generator, index, number, template, prompt_u, self._run.key, endpoint.takes_seed)
        recorded = await asyncio.to_thread(self._recorded, first, number)
        there = len(recorded)
        async with (
            ModelClient(endpoint, endpoint.key(self._runs.environ)) as client,
            Permits(self._runs.limits, endpoint, 1, f"{self._lease.run_id}.{self._lease.fence}") as permits,
        ):

            async def send(body: dict[str, Any], idempotency_key: str) -> Answer:
                self._check_budget()
                answer = await ask(client, permits, body, idempotency_key, self._recorder.count)
                self._count(answer)
                return answer

            async def record(questions: Sequence[str]) -> None:
                nonlocal there
                await self._record(index, first + there, questions)
                there += len(questions)

            await ask_for_questions(wanted, recorded, send, record)

    def _recorded(self, first: int, number: int) -> list[str]:
        """Return the questions of a generator that are there: the first ones, since each answer's follow the last."""
        return [json.loads(row.text)["question"] for row in self._runs.rows.page(self._run.id, 1, first, number)]

    async def _record(self, index: int, first: int, questions: Sequence[str]) -> None:
        for stimulus, question in enumerate(questions, first):
            if self._progress.is_missing(stimulus):
                text = canonical_json.dump({"generator": index, "question": question}).decode()
                await self._recorder.record(Row(stimulus, 0, text))

    def _count(self, answer: Answer) -> None:
        self._tokens += answer.tokens_in + answer.tokens_out
        self._recorder.count_answer(answer)

    def _check_budget(self) -> None:
        budget = self._runs.settings.run_budget
        if budget and self._tokens >= budget:
            raise RunFailed(BUDGET, f"The run used {self._tokens} tokens, and {budget} are allowed.")

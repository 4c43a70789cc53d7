"""Rollouts carried out: each sample is asked for, and its row recorded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from app.domain import extra_kwargs
from app.runs import full_rows
from app.runs.failures import RunFailed, Stopped
from app.runs.ledger.leases import Lease
from app.runs.ledger.runs import Run
from app.runs.models.answers import Answer
from app.runs.models.endpoints import Endpoint
from app.runs.models.permits import Permits
from app.runs.models.verdicts import Refused, Verdict
from app.runs.recipe import sampling
from app.runs.recipe.progress import Progress
from app.runs.recipe.thresholds import Failures
from app.runs.services import Runs
from app.runs.work.budget import Budget
from app.runs.work.recorder import Recorder
from app.runs.work.samples import Sample

Send = Callable[[dict[str, Any], str], Awaitable[Answer]]  # a request, and what its repetitions have in common

_WINDOW = 100  # stimuli that are read from the ledger at a time


async def carry_out(runs: Runs, run: Run, lease: Lease, is_stopping: Callable[[], bool]) -> None:
    """Ask for each sample that a rollout lacks. RunFailed where it cannot go on, Stopped where answers are missing."""
    from app.runs.models.asking import ask  # a web server asks no model, and needs no client of HTTP
    from app.runs.models.client import ModelClient

    progress = await asyncio.to_thread(_progress, runs, run)
    endpoint = runs.endpoint(run.config["model_name"], run.inputs)
    failures = Failures(run.total, progress.done - progress.again, progress.failed - progress.again)
    recorder = Recorder(lease, progress, run.width, is_stopping)
    samples = _samples(runs, run, progress, endpoint, recorder)
    async with (
        ModelClient(endpoint, endpoint.key(runs.environ)) as client,
        Permits(runs.limits, endpoint, run.config["max_concurrency"], f"{lease.run_id}.{lease.fence}") as permits,
    ):

        async def send(body: dict[str, Any], idempotency_key: str) -> Answer:
            return await ask(client, permits, body, idempotency_key, recorder.count)

        rollout = _Rollout(run, samples, failures, recorder, send, Budget(runs.settings.run_budget, run))
        await recorder.run(partial(rollout.work, endpoint.max_concurrency))


class _Rollout:
    """A rollout that goes on: some tasks take one sample after the other."""

    def __init__(
        self,
        run: Run,
        samples: AsyncIterator[Sample],
        failures: Failures,
        recorder: Recorder,
        send: Send,
        budget: Budget,
    ) -> None:
        """Take `samples`, ask for each with `send`, and record the rows."""
        self._run = run
        self._samples = samples
        self._recorder = recorder
        self._send = send
        self._next = asyncio.Lock()
        self._failures = failures
        self._last_failure = ""
        self._is_stopped = False
        self._budget = budget

    async def work(self, most: int) -> None:
        """Take samples until there are no more, `most` at a time; Stopped once answers are there that were out then."""
        self._check_failures()  # a worker may have been killed before it could end the run
        tasks = min(self._run.config["max_concurrency"], self._run.total, most)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(tasks):
                    group.create_task(self._take_samples())
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        if self._is_stopped:
            raise Stopped

    async def _take_samples(self) -> None:
        while True:
            async with self._next:  # a generator serves one caller at a time
                sample = await anext(self._samples, None)
            if sample is None:
                return
            try:
                await self._take(sample)
            except Stopped:  # other tasks wait for their answers
                self._is_stopped = True
                return

    async def _take(self, sample: Sample) -> None:
        body = sample.body(self._run.config)
        try:
            async with self._budget.room():
                answer = await self._send(body, sample.idempotency_key)
                self._budget.count(answer)
        except Refused as error:
            if error.verdict is Verdict.RUN:
                raise
            await self._recorder.record(sample.refused(error, body))
            self._last_failure = error.message
            self._failures.count(is_failed=True)
        else:
            self._recorder.count_answer(answer)
            await self._recorder.record(sample.answered(answer, body))
            self._failures.count(is_failed=False)
        self._check_failures()

    def _check_failures(self) -> None:
        if self._failures.are_too_many:
            last = f" The last: {self._last_failure}" if self._last_failure else ""
            raise RunFailed("samples", f"Too many samples failed.{last}")


def _progress(runs: Runs, run: Run) -> Progress:
    progress = Progress(run.total)
    first = 0 if run.failed else run.listed // run.width  # the rows of the stimuli before are there
    progress.mark_first(first * run.width)
    for row in runs.rows.present(run.id, first):
        progress.mark(row.stimulus * run.width + row.trajectory, is_failed=row.is_failed, is_again=row.is_again)
    return progress


async def _samples(
    runs: Runs, run: Run, progress: Progress, endpoint: Endpoint, recorder: Recorder
) -> AsyncIterator[Sample]:
    """Yield the samples that are missing or to be asked for again, in order; few stimuli are in memory at a time."""
    window = dict[int, dict[str, Any]]()
    stimuli = await recorder.read(partial(full_rows.StimulusReader, runs, run))
    sends_seed = endpoint.takes_seed and "seed" not in extra_kwargs.merged(run.config.get("extra_kwargs"))
    for position in progress.wanted():
        stimulus, trajectory = divmod(position, run.width)
        if stimulus not in window:
            window = await recorder.read(partial(stimuli.read, stimulus, stimulus + _WINDOW))
        seed = sampling.seed_of(run.key, stimulus, trajectory) if sends_seed else None
        yield Sample(window[stimulus], trajectory, run.key, seed)


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """Return the first error of a group."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found

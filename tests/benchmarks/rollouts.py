"""Rollouts to measure: of targets with questions of their own, and with rows that were written before."""

import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import delete, update

from app.registry.messages import Origin
from app.runs import starting
from app.runs.ledger.leases import Batch
from app.runs.ledger.rows import Row
from app.runs.ledger.runs import FAILED, Run
from app.runs.ledger.tables import ROWS, RUNS
from app.runs.models import requests
from app.runs.plans import ROLLOUT, STIM
from app.runs.services import Runs
from tests.benchmarks import endpoint
from tests.benchmarks.carrying import services
from tests.benchmarks.load import Client
from tests.benchmarks.other_generators import SYSTEM_PROMPT

REPO = "runs"
_PLACE = f"admin/{REPO}"
_A_WRITE = 1000  # rows

_names = (f"rollout-{number}" for number in count())


class Rollouts:
    """Rollouts in a repo of their own, on the data directory of a server that carries out none."""

    def __init__(self, client: Client, data_dir: Path, url: str) -> None:
        """Make the repo; `url` is the base URL of the endpoint."""
        entry = {"name": "fast", "base_url": url, "models": ["*"], "max_concurrency": 256}
        (data_dir / "endpoints.yml").write_text(yaml.safe_dump([entry]))
        self._client = client
        self.runs: Runs = services(data_dir)
        client.ask("POST", "/v1/repo", {"repo_name": REPO})
        prompt = {"messages": [{"role": "system", "content": SYSTEM_PROMPT}]}
        client.ask("PUT", f"/v1/repo/{REPO}/prompts/teacher", prompt)

    def start(self, stimuli: int, width: int = 1, at_once: int = 32) -> Run:
        """Return a new rollout that nobody carries out; `width` is the number of rows a stimulus."""
        name = next(_names)
        overrides = {
            "model_name": endpoint.MODEL,
            "teacher_prompt": "teacher",
            "student_prompt": "",
            "num_traj_per_stimulus": width,
            "max_concurrency": at_once,
            "max_tokens": 200,
            "temperature": 1,
            "generators": [{"type": "hardcoded", "questions": questions(name, stimuli)}],
        }
        self._client.ask("PUT", f"/v1/repo/{REPO}/targets/{name}", {"template": "default", "overrides": overrides})
        repository = self.runs.repos.open(_PLACE)
        for kind in (STIM, ROLLOUT):
            run = starting.start(self.runs, _PLACE, repository, name, kind, Origin("admin"))
        return run

    def fill(self, run: Run, missing: int) -> None:
        """Write the rows of a rollout, without requests, except for the last ones."""
        lease = self.runs.leases.take(run.id, "bench")
        assert lease is not None
        end = run.total - missing
        for start in range(0, end, _A_WRITE):
            rows = [_row(position, run.width) for position in range(start, min(start + _A_WRITE, end))]
            lease.write(Batch(rows, listed=start + len(rows), done=len(rows), requests=len(rows)))
        lease.release()

    def drop_last(self, run: Run) -> None:
        """Take the last row from a rollout, as if it had failed without it."""
        stimulus, trajectory = divmod(run.total - 1, run.width)
        last = (ROWS.c.run == run.id) & (ROWS.c.stimulus == stimulus) & (ROWS.c.trajectory == trajectory)
        there = {"state": FAILED, "done": run.total - 1, "listed": run.total - 1}
        with self.runs.database.begin() as connection:
            connection.execute(delete(ROWS).where(last))
            connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(there))

    def bodies(self, number: int) -> list[Mapping[str, Any]]:
        """Return requests as rollouts send them."""
        config = {"max_tokens": 200, "temperature": 1}
        return [
            requests.body(_messages(question), None, endpoint.MODEL, config, seed)
            for seed, question in enumerate(questions(next(_names), number))
        ]


def questions(name: str, number: int) -> list[str]:
    """Return questions that no other rollout asks."""
    return [f"Question {at} of {name}: why does bread rise?" for at in range(number)]


def _messages(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": question}]


def _row(position: int, width: int) -> Row:
    stimulus, trajectory = divmod(position, width)
    completion = json.loads(endpoint.BODY)
    choice = completion["choices"][0]
    response = {**choice["message"], "finish_reason": choice["finish_reason"], "usage": completion["usage"]}
    return Row(stimulus, trajectory, json.dumps({"response": response, "seed": position}), endpoint.BODY)

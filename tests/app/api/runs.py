"""What tests of runs share: a target that can be carried out, a worker in a thread, and the addresses."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from flask import Flask

from app.runs.services import Runs
from app.runs.work.performing import perform
from tests.app.api.helpers import PROMPTS, TARGETS
from tests.client import Client

STIM, ROLLOUT = f"{TARGETS}/a/stim", f"{TARGETS}/a/rollout"
QUESTIONS = ["Who are you?", "Why?"]
CONFIG = {
    "teacher_prompt": "t",
    "student_prompt": "",
    "generators": [{"type": "hardcoded", "questions": QUESTIONS}],
    "model_name": "m",
    "num_traj_per_stimulus": 3,
}


def runs_of(app: Flask) -> Runs:
    """Return what the application shares about runs."""
    runs: Runs = app.extensions["bakehouse"].runs
    return runs


def serve_models(app: Flask, url: str, **fields: Any) -> None:
    """Have an endpoint at a URL serve every model."""
    entry = {"name": "fast", "base_url": url, "models": ["*"], "max_concurrency": 64, **fields}
    folder: Path = app.extensions["bakehouse"].settings.data_dir
    (folder / "endpoints.yml").write_text(yaml.safe_dump([entry]))


def make_target(client: Client, name: str = "a", **overrides: Any) -> str:
    """Create or replace a target that can be carried out, and return the commit."""
    client.put(f"{PROMPTS}/t", {"messages": [{"role": "system", "content": "Be kind."}]})
    made = client.put(f"{TARGETS}/{name}", {"template": "default", "overrides": CONFIG | overrides})
    assert made.status_code == 200, made.text
    return made.headers["Git-Commit"]


def start(client: Client, address: str) -> dict[str, Any]:
    """Start a run as the Python SDK does, and return its status."""
    answer = client.request("POST", address, Content_Type="application/json", Idempotency_Key="stainless-1")
    assert answer.status_code == 200, answer.text
    return answer.json


def finish(client: Client, address: str) -> dict[str, Any]:
    """Start a run, and return its status once it is over; a worker must be there."""
    status = start(client, address)
    while status["status"] == "running":
        time.sleep(0.02)
        status = client.get(address).json
    return status


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """Have a thread carry out runs, as a worker does, while the block runs."""
    runs, stopping = runs_of(app), threading.Event()

    def work() -> None:
        while not stopping.wait(0.01):
            for run in runs.table.waiting():
                perform(runs, run.id, "test", stopping.is_set)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def perform_all(app: Flask) -> None:
    """Carry out the runs that wait, here and now."""
    for run in runs_of(app).table.waiting():
        perform(runs_of(app), run.id, "test")

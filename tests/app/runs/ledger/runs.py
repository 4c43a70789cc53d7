"""Runs for tests of the ledger."""

from dataclasses import replace
from typing import Any

from app.runs.ledger.runs import NewRun

_NEW = NewRun(
    repo="r" * 32,
    place="alice/demo",
    target="a",
    kind="rollout",
    key="k" * 64,
    commit="c" * 40,
    inputs={"kind": "rollout"},
    config={"max_concurrency": 8},
    context={"teacher": [{"role": "system", "content": "é \ud83d \0"}]},
    origin={"user": "alice"},
    total=6,
)


def new(**changes: Any) -> NewRun:
    """Return a run to start, with some fields of its own."""
    return replace(_NEW, **changes)

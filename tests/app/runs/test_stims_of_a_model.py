"""Questions that a real model writes. It is small, and often answers with something else than the list it should."""

from typing import Any

import pytest
import yaml
from flask import Flask

from app.registry.messages import Origin
from app.runs import full_rows, starting
from app.runs.recipe.questions import normalized
from app.runs.services import Runs
from app.runs.work.performing import perform
from tests.client import Client
from tests.faulty_proxy import FaultyProxy

_TEMPLATE = "${prompt_u}\n\nList ${numq} questions that a guest of this place could ask, as a numbered list."
_OURS = {"type": "oneshot_qs", "model": "smollm2", "numq": 6, "max_tokens": 40, "temperature": 1.0, "seed": 3}
_OWN = {**_OURS, "type": "custom", "numq": 4, "template_content": _TEMPLATE}


@pytest.mark.slow
@pytest.mark.parametrize("generator", [_OURS, _OWN], ids=["oneshot_qs", "custom"])
def test_a_small_model_is_asked_until_there_are_as_many_questions_as_are_wanted(
    app: Flask, alice: Client, model_proxy: FaultyProxy, generator: dict[str, Any]
):
    runs: Runs = app.extensions["bakehouse"].runs
    entry = {"name": "small", "base_url": model_proxy.url, "models": ["smollm2"]}
    (runs.settings.data_dir / "endpoints.yml").write_text(yaml.safe_dump([entry]))
    alice.put("/v1/repo/demo/prompts/t", {"messages": [{"role": "system", "content": "This is a hotel by the sea."}]})
    overrides = {"teacher_prompt": "t", "student_prompt": "", "generators": [generator]}
    alice.put("/v1/repo/demo/targets/kind", {"template": "default", "overrides": overrides})
    repository = runs.repos.open("alice/demo")
    run = starting.start(runs, "alice/demo", repository, "kind", "stim", Origin("alice", "Alice"))
    perform(runs, run.id, "worker")
    run = runs.table.get(run.id)
    assert (run.state, run.error) == ("complete", None)
    questions = [row["question"] for row, _ in full_rows.read(runs, run, 0, 100)]
    assert len({*map(normalized, questions)}) == len(questions) == generator["numq"]
    assert all(question == question.strip() and not question[0].isdigit() for question in questions)
    assert run.requests == len(model_proxy.seen)
    assert run.tokens_in > 0
    assert run.tokens_out > 0

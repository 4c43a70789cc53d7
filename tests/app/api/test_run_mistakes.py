"""Bad input that only shows once a target is carried out: each is a 400 that says what is wrong, and starts nothing."""

from typing import Any

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS, demo
from tests.app.api.runs import ROLLOUT, STIM, make_target, runs_of, serve_models, start
from tests.client import Client, assert_error
from tests.faulty_proxy import FaultyProxy
from tests.payloads import asking

FROM = {"type": "from_dataset", "dataset": "d", "numq": 2}
LONG = "x" * 100_000
ASKS = {"type": "oneshot_qs", "model": "m", "numq": 2}
# A generator, the file of its data set, and what the answer must say beside the place.
GENERATORS: list[tuple[dict[str, Any], tuple[str, bytes] | None, tuple[str, ...]]] = [
    ({"type": "hardcoded", "questions": []}, None, ("generators.0.questions: ", "List at least one")),
    ({"type": "oneshot_qs", "model": "m"}, None, ("generators.0.numq: ", "oneshot_qs")),
    ({"type": "oneshot_qs", "numq": 2}, None, ("generators.0.model: ", "oneshot_qs")),
    ({**ASKS, "type": "custom"}, None, ("generators.0.template_path: ", "template_content")),
    ({**ASKS, "template_path": "templates/none.txt"}, None, ("there is no file 'templates/none.txt'",)),
    ({**ASKS, "template_path": "../../etc/passwd"}, None, ("there is no file '../../etc/passwd'",)),
    ({**ASKS, "model": "other"}, None, ("generators.0.model: ", "No endpoint serves the model 'other'", "'m'")),
    ({**asking("Ask.")[0], "model": "m", "numq": 1}, None, ("it must contain '${numq}', '${prompt_u}'",)),
    ({"type": "from_dataset", "dataset": "none", "numq": 1}, None, ("generators.0.dataset: ", "'none'")),
    ({"type": "from_dataset", "dataset": "../../master", "numq": 1}, None, ("generators.0.dataset: ",)),
    (FROM, ("d.csv", b"a,b\r\n1,2\r\n"), ("'d'", "question")),
    (FROM, ("d.csv", b"question\r\n\xff\r\n"), ("'d'", "UTF-8")),
    (FROM, ("d.jsonl", b'{"question": "A?"}\n{"question": '), ("'d'", "line 2")),
    (FROM, ("d.jsonl", b""), ("'d'",)),
    (FROM, ("d.parquet", b"PAR1 and nothing else"), ("'d'", "Parquet")),
    (FROM, ("d.jsonl", b'{"question": "A?"}\n'), ("generators.0.numq: ", "has 1 questions, and 2 are wanted")),
    ({"type": "persona", "numq": 10_000}, None, ("generators.0.numq: ", "the question bank has")),
]


@pytest.fixture
def served(app: Flask, alice: Client, proxy: FaultyProxy) -> Client:
    """Return alice's requests; an endpoint serves the model `m`, and no other."""
    serve_models(app, proxy.url, models=["m"])
    return alice


def nothing_was_started(app: Flask, client: Client, commit: str) -> bool:
    runs = client.get("/v1/repo/demo/runs").json["runs"]
    return not runs and demo(app, "rev-parse", "main").strip() == commit


@pytest.mark.parametrize(("generator", "file", "said"), GENERATORS)
def test_a_generator_that_cannot_make_its_questions(
    app: Flask,
    served: Client,
    proxy: FaultyProxy,
    generator: dict[str, Any],
    file: tuple[str, bytes] | None,
    said: tuple[str, ...],
):
    if file is not None:
        folder = app.extensions["bakehouse"].settings.data_dir / "datasets"
        folder.mkdir()
        (folder / file[0]).write_bytes(file[1])
    commit = make_target(served, generators=[generator])
    assert_error(served.post(STIM, None), 400, "INVALID_INPUT", "generators.0.", *said)
    assert served.get(STIM).json["status"] == "not_started"
    assert nothing_was_started(app, served, commit)
    assert proxy.seen == []


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"model_name": "other"}, "model_name: No endpoint serves the model 'other'"),
        ({"model_name": None}, "model_name: a rollout needs the name of the model"),
        ({"extra_kwargs": {"n": 2}}, "extra_kwargs.n: "),
        ({"extra_kwargs": {"stream": True}}, "extra_kwargs.stream: "),
        ({"extra_kwargs": {"messages": []}}, "extra_kwargs.messages: "),
        ({"extra_kwargs": {"extra_body": {"timeout": 1}}}, "extra_kwargs.extra_body.timeout: "),
        ({"extra_kwargs": {"extra_body": 5}}, "extra_kwargs.extra_body: this must be an object"),
    ],
)
def test_a_rollout_that_cannot_be_as_the_target_says(
    served: Client, proxy: FaultyProxy, overrides: dict[str, Any], said: str
):
    make_target(served, **overrides)
    start(served, STIM)
    assert_error(served.post(ROLLOUT, None), 400, "INVALID_INPUT", said)
    assert [run["kind"] for run in served.get(f"{TARGETS}/a/runs").json["runs"]] == ["stim"]
    assert proxy.seen == []


def test_many_generators_are_refused_before_they_are_looked_at(
    app: Flask, served: Client, monkeypatch: pytest.MonkeyPatch
):
    looked: list[str] = []
    datasets = runs_of(app).datasets
    size = datasets.size
    monkeypatch.setattr(datasets, "size", lambda name: looked.append(name) or size(name))
    make_target(served, generators=[FROM] * 101)
    text = "generators: there are 101, and a stim may have 100."
    assert_error(served.post(STIM, None), 400, "INVALID_INPUT", text)
    assert_error(served.post(ROLLOUT, None), 400, "INVALID_INPUT", text)
    assert served.get(STIM).json["status"] == "not_started"
    assert looked == []


def test_of_many_problems_the_first_are_told_and_how_many_more_there_are(served: Client):
    make_target(served, generators=[FROM] * 100)
    answer = served.post(STIM, None)
    assert_error(answer, 400, "INVALID_INPUT", "generators.0.dataset: ", "generators.19.dataset: ", "And 80 more.")
    assert "generators.20." not in answer.text
    assert len(answer.data) < 10_000


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "from_dataset", "dataset": LONG},
        {"type": "from_dataset", "dataset": f"o/{LONG}@{'a' * 40}"},
        {**ASKS, "model": LONG},
        {**ASKS, "template_path": LONG},
        {**ASKS, "template_path": f"templates/{LONG}"},
    ],
)
def test_of_a_long_name_the_start_is_told(served: Client, fields: dict[str, Any]):
    make_target(served, generators=[fields])
    answer = served.post(STIM, None)
    assert_error(answer, 400, "INVALID_INPUT", "generators.0.", "x…'")
    assert len(answer.data) < 1000


def test_prompts_that_are_not_there(app: Flask, served: Client):
    commit = make_target(served, teacher_prompt="none", student_prompt="nobody")
    answer = served.post(STIM, None)
    assert_error(
        answer, 400, "INVALID_INPUT", "teacher_prompt: there is no prompt 'none'", "student_prompt: ", "'nobody'"
    )
    assert nothing_was_started(app, served, commit)


def test_more_questions_than_there_are_is_a_warning_where_all_can_be_taken(served: Client):
    make_target(served, generators=[{"type": "hardcoded", "questions": ["A?"], "numq": 5}])
    status = start(served, STIM)
    assert (status["status"], status["lines"]) == ("complete", 1)
    assert [warning.split(":")[0] for warning in status["warnings"]] == ["generators.0.numq"]

"""Generators over HTTP: what they lack is a 400 that tells everything, and writes nothing."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from app import create_app
from tests.app.api.helpers import TARGETS
from tests.app.api.runs import ROLLOUT, STIM, make_target, perform_all, runs_of, serve_models, start
from tests.client import Client, assert_error
from tests.faulty_proxy import FaultyProxy
from tests.replies import completion

FROM_DATASET = {"type": "from_dataset", "dataset": "mine"}


@pytest.fixture
def folder(app: Flask) -> Path:
    folder: Path = app.extensions["bakehouse"].settings.data_dir / "datasets"
    folder.mkdir()
    return folder


def questions(client: Client) -> list[str]:
    return [row["question"] for row in client.get(f"{STIM}/output?limit=1000").json["output"]]


def refused(client: Client, *messages: str) -> None:
    """Hold the start of a stim to be refused, and to have written nothing."""
    answer = client.post(STIM, {})
    for message in messages:
        assert_error(answer, 400, "INVALID_INPUT", message)
    assert client.get(STIM).json["status"] == "not_started"
    assert client.get("/v1/repo/demo/runs").json["runs"] == []


@pytest.mark.parametrize(
    ("file", "data", "message"),
    [
        ("other.jsonl", b"", "Data set 'mine' is not there."),
        ("mine.jsonl", b"", "Data set 'mine' is empty"),
        ("mine.jsonl", b'{"answer": "42"}\n', "but 'answer'"),
        ("mine.jsonl", b"\xff\xfe\n", "Data set 'mine' is not UTF-8: line 1 has a byte 0xff."),
        ("mine.jsonl", b'{"text": "Who?"}\n{"text": ', "Data set 'mine' has no JSON in line 2"),
        ("mine.jsonl", b'{"text": 7}\n', "Data set 'mine' has no text as 'text' in line 1."),
        ("mine.csv", b"text\nWho\0?\n", "Data set 'mine' has a NUL character in line 2."),
        ("mine.parquet", b"Who?\n", "Data set 'mine' is no Parquet file that can be read"),
    ],
)
def test_a_data_set_that_cannot_be_used_is_refused_and_works_once_it_can(
    alice: Client, folder: Path, file: str, data: bytes, message: str
):
    (folder / file).write_bytes(data)
    make_target(alice, generators=[FROM_DATASET])
    refused(alice, f"generators.0.dataset: {message}" if message.startswith("Data") else message)
    (folder / file).unlink()
    (folder / "mine.jsonl").write_text('{"text": "Who?"}\n')
    assert start(alice, STIM)["status"] == "complete"
    assert questions(alice) == ["Who?"]


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../secret", "secret", "acme/questions", "", " ", "a\0"]
)
def test_the_name_of_a_data_set_reaches_no_file_outside(alice: Client, folder: Path, name: str):
    (folder.parent / "secret.jsonl").write_text('{"text": "secret"}\n')
    (folder / "secret.jsonl").symlink_to(folder.parent / "secret.jsonl")
    make_target(alice, generators=[FROM_DATASET | {"dataset": name}])
    refused(alice, "generators.0.dataset: ")
    assert str(folder.parent) not in alice.post(STIM, {}).text


def test_a_data_set_that_changes_makes_the_run_stale_and_the_old_one_is_read_until_then(alice: Client, folder: Path):
    (folder / "mine.jsonl").write_text('{"text": "Who?"}\n')
    commit = make_target(alice, generators=[FROM_DATASET])
    first = start(alice, STIM)
    assert (first["status"], first["stale"]) == ("complete", False)
    (folder / "mine.jsonl").write_text('{"text": "Why?"}\n')
    status = alice.get(STIM).json
    assert (status["job_id"], status["status"], status["stale"]) == (first["job_id"], "complete", True)
    assert start(alice, STIM)["job_id"] != first["job_id"]
    assert questions(alice) == ["Why?"]
    (folder / "mine.jsonl").unlink()
    assert alice.get(STIM).json["stale"] is True
    assert alice.get(f"{STIM}?ref={commit}").status_code == 200


def test_everything_that_generators_lack_is_told_in_one_answer(alice: Client):
    generators = [{"type": "oneshot_qs"}, {"type": "custom", "model": "m", "numq": 2}, FROM_DATASET]
    make_target(alice, generators=generators, student_prompt=None)
    refused(
        alice,
        "student_prompt: ",
        "generators.0.numq: ",
        "generators.0.model: ",
        "generators.1.model: No endpoint serves the model 'm', since there is none.",
        "generators.1.template_path: ",
        "generators.2.dataset: ",
    )


def test_a_model_writes_questions_that_the_output_lists(app: Flask, alice: Client, proxy: FaultyProxy):
    serve_models(app, proxy.url)
    proxy.rule = lambda _: completion(json.dumps({"questions": ["Who?", "Why?", "Who?", "When?"]}))
    template = {"template_path": "own.txt", "template_content": "${numq} for ${prompt_u}"}
    made = make_target(alice, generators=[{"type": "custom", "model": "m", "numq": 3, **template}])
    status: dict[str, Any] = start(alice, STIM)
    if status["status"] == "running":
        perform_all(app)
    status = alice.get(STIM).json
    assert (status["status"], status["lines"], status["commit"]) == ("complete", 3, made)
    assert questions(alice) == ["Who?", "Why?", "When?"]
    assert proxy.seen[0].body["messages"] == [{"role": "user", "content": "3 for Be kind."}]
    seen = len(proxy.seen)
    assert start(alice, STIM)["job_id"] == status["job_id"]
    assert len(proxy.seen) == seen
    changed = [{"type": "custom", "model": "m", "numq": 3, **template, "template_content": "$numq: $prompt_u"}]
    make_target(alice, generators=changed)
    assert alice.get(STIM).json["stale"] is True
    assert alice.get(f"{STIM}/output?ref={made}").json["output"][0]["question"] == "Who?"


def test_a_stray_dollar_is_refused_with_its_line(alice: Client):
    template = {"template_content": "Ask ${numq} about ${prompt_u}.\nIt costs 5$."}
    alice.put(f"{TARGETS}/x", {"template": "default"})
    make_target(alice, generators=[{"type": "custom", "model": "m", "numq": 3, **template}])
    refused(alice, "generators.0.template_path: the question template cannot be filled in: line 2 has '$'")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Put a module in place of the library `datasets`; return which data sets were loaded with it."""
    loads: list[str] = []

    class Rows(list[str]):
        column_names = ("question",)

        def select_columns(self, _: list[str]) -> list[dict[str, str]]:
            return [{"question": question} for question in self]

    def load_dataset(name: str, **_: Any) -> Rows:
        loads.append(name)
        return Rows(["Who?", "Why?"])

    config = SimpleNamespace(HF_DATASETS_CACHE=tmp_path)
    library = SimpleNamespace(disable_progress_bars=lambda: None, config=config, load_dataset=load_dataset)
    monkeypatch.setitem(sys.modules, "datasets", library)
    return loads


@pytest.mark.parametrize("numq", [{}, {"numq": 2}], ids=["all", "two"])
def test_only_a_start_loads_a_data_set_of_the_hub(app: Flask, alice: Client, loads: list[str], numq: dict[str, int]):
    """Whoever may only read has nothing loaded; the server does not need the data set for a run that is there."""
    generator = {"type": "from_dataset", "dataset": f"acme/questions@{'a' * 40}", **numq}
    made = make_target(alice, generators=[generator])
    for address in (STIM, ROLLOUT):
        assert alice.get(address).json["status"] == "not_started"
    assert loads == []
    status = start(alice, STIM)
    assert (status["status"], status["stale"], sorted(questions(alice))) == ("complete", False, ["Who?", "Why?"])
    assert loads == ["acme/questions"]
    restarted = Client(create_app(runs_of(app).settings), alice.token)
    assert restarted.get(STIM).json == status | {"stale": not numq}
    assert restarted.get(f"{STIM}/output?ref={made}").json["lines"] == 2
    assert restarted.get(ROLLOUT).json["status"] == "not_started"
    assert loads == ["acme/questions"]
    assert start(restarted, STIM) == restarted.get(STIM).json == status

"""`?ref=` where runs are read: the run of the target as it was."""

from typing import Any

import pytest
from flask import Flask

from tests.app.api.helpers import PROMPTS, TARGETS
from tests.app.api.runs import (
    CONFIG,
    ROLLOUT,
    STIM,
    finish,
    make_target,
    runs_of,
    serve_models,
    start,
    working,
)
from tests.client import Client, assert_error
from tests.faulty_proxy import FaultyProxy
from tests.replies import completion
from tests.timeline import tip

RUNS = "/v1/repo/demo/runs"


@pytest.fixture
def made(app: Flask, alice: Client, proxy: FaultyProxy) -> Client:
    """Return alice's requests; her target `a` can be carried out."""
    serve_models(app, proxy.url)
    make_target(alice)
    return alice


def carry_out(app: Flask, client: Client) -> tuple[str, dict[str, bytes]]:
    """Carry out the target, and return the commit that the runs were started at, and all that is read of them."""
    commit = tip(app)
    start(client, STIM)
    with working(app):
        assert finish(client, ROLLOUT)["status"] == "complete"
    return commit, read(client)


def read(client: Client, query: str = "") -> dict[str, bytes]:
    addresses = [f"{kind}{place}" for kind in (STIM, ROLLOUT) for place in ("", "/output", "/rows")]
    answers = {address: client.get(f"{address}{query}") for address in addresses}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {address: answer.data for address, answer in answers.items()}


def made_stale(then: dict[str, bytes]) -> dict[str, bytes]:
    return {address: data.replace(b'"stale":false', b'"stale":true') for address, data in then.items()}


def test_the_runs_of_an_earlier_target_are_read_byte_for_byte(app: Flask, made: Client):
    changes: list[Any] = [
        lambda: make_target(made, temperature=0.5),
        lambda: make_target(made, generators=[{"type": "hardcoded", "questions": ["Other?"]}]),
        lambda: made.put(f"{PROMPTS}/t", {"messages": [{"role": "system", "content": "Be rude."}]}),
        lambda: made.put(f"{PROMPTS}/s", {"messages": []}),
        lambda: made.put(
            f"{TARGETS}/a", {"template": "a", "overrides": {"student_prompt": "s", "num_traj_per_stimulus": 1}}
        ),
    ]
    seen = [carry_out(app, made)]
    for change in changes:
        change()
        seen.append(carry_out(app, made))
    last = seen[-1][1]
    for commit, then in seen:
        found = read(made, f"?ref={commit}")
        for address, data in then.items():
            assert found[address] == (data if data == last[address] else made_stale(then)[address])
    assert read(made, f"?ref={tip(app)}") == last == read(made)


_KIND = [{"role": "system", "content": "Be kind."}]
_HARDCODED = {"type": "hardcoded", "questions": ["Who are you?", "Why?"]}
_ASK = {"type": "custom", "model": "m", "numq": 2, "template_content": "${numq} for ${prompt_u}"}
_ONE_EACH: dict[str, Any] = {
    "num_traj_per_stimulus": 1,
    "temperature": 0,
    "generators": [
        _HARDCODED,
        {"type": "persona", "numq": 2},
        {"type": "from_dataset", "dataset": "mine"},
        {"type": "oneshot_qs", "model": "m", "numq": 2, "seed": 5},
        _ASK | {"template_path": "ask.txt"},
    ],
}


def with_generator(index: int, generator: dict[str, Any]) -> dict[str, Any]:
    """Return the change of the config to another generator."""
    generators = list(_ONE_EACH["generators"])
    generators[index] = generator
    return {"generators": generators}


@pytest.mark.parametrize(
    "change",
    [
        with_generator(0, _HARDCODED | {"numq": 2}),
        with_generator(0, _HARDCODED | {"numq": 9, "seed": 5, "model": "other", "temperature": 0.5}),
        with_generator(0, _HARDCODED | {"rollout_with_conditioned": False}),
        with_generator(1, {"type": "persona", "numq": 2, "dataset": "none", "max_tokens": 5}),
        with_generator(4, _ASK | {"template_path": "same.txt"}),
        {"teacher_prompt": "same"},
        {"num_traj_per_stimulus": None},
        {"max_concurrency": 3},
        {"temperature": 0.0},
        {"extra_kwargs": {"extra_body": {}}},
    ],
    ids=str,
)
def test_a_commit_that_makes_no_new_run_has_the_old_one(
    app: Flask, made: Client, proxy: FaultyProxy, change: dict[str, Any]
):
    folder = runs_of(app).settings.data_dir / "datasets"
    folder.mkdir()
    (folder / "mine.jsonl").write_text('{"question": "What?"}\n')
    proxy.rule = lambda _: completion("1. Is rye good?\n2. Is wheat good?")
    made.put(f"{PROMPTS}/same", {"messages": _KIND})
    make_target(made, **_ONE_EACH)
    with working(app):
        finish(made, STIM)
        finish(made, ROLLOUT)
    then = read(made)
    overrides = {name: value for name, value in (CONFIG | _ONE_EACH | change).items() if value is not None}
    made.put(f"{TARGETS}/a", {"template": "default", "overrides": overrides})
    assert made.get(STIM).json["stale"] is made.get(ROLLOUT).json["stale"] is False
    assert read(made) == read(made, f"?ref={tip(app)}") == then


def test_a_run_is_found_though_its_endpoint_is_another_by_now(app: Flask, made: Client, proxy: FaultyProxy):
    first, then = carry_out(app, made)
    serve_models(app, proxy.url, name="other")
    proxy.rule = lambda _: completion("Other.")
    assert made.get(ROLLOUT).json["stale"] is True
    second, after = carry_out(app, made)
    assert after[f"{ROLLOUT}/rows"] != then[f"{ROLLOUT}/rows"]
    assert read(made, f"?ref={first}")[f"{ROLLOUT}/rows"] == then[f"{ROLLOUT}/rows"]
    assert read(made, f"?ref={second}") == read(made) == after


def test_a_ref_is_a_tag_a_label_or_a_time_too(app: Flask, made: Client):
    _, then = carry_out(app, made)
    made.post("/v1/repo/demo/tags", {"name": "v1"})
    made.put("/v1/repo/demo/labels/production", {"ref": "v1"})
    make_target(made, temperature=0.5)
    for ref in ("v1", "production"):
        assert read(made, f"?ref={ref}")[f"{ROLLOUT}/output"] == made_stale(then)[f"{ROLLOUT}/output"]


def test_a_target_that_was_deleted_keeps_its_runs(app: Flask, made: Client):
    commit, then = carry_out(app, made)
    made.delete(f"{TARGETS}/a")
    assert_error(made.get(STIM), 404, "RESOURCE_NOT_FOUND", "Target 'a'")
    assert read(made, f"?ref={commit}") == made_stale(then)
    assert [run["kind"] for run in made.get(f"{TARGETS}/a/runs").json["runs"]] == ["rollout", "stim"]


def test_a_ref_without_a_run_says_what_to_do(app: Flask, made: Client):
    commit = make_target(made, temperature=0.5)
    assert make_target(made, generators=[{"type": "hardcoded", "questions": ["Other?"]}])
    carry_out(app, made)
    for address in (STIM, f"{STIM}/output", f"{STIM}/rows", ROLLOUT, f"{ROLLOUT}/output", f"{ROLLOUT}/rows"):
        answer = made.get(f"{address}?ref={commit}")
        assert_error(answer, 404, "RESOURCE_NOT_FOUND", commit, "GET …/targets/a/runs")


def test_lists_show_the_runs_of_a_commit_and_of_those_before(app: Flask, made: Client):
    first, _ = carry_out(app, made)
    middle = tip(app)
    make_target(made, temperature=0.5)
    second, _ = carry_out(app, made)
    kinds = {
        ref: [run["kind"] for run in made.get(f"{RUNS}?ref={ref}").json["runs"]] for ref in (first, middle, second)
    }
    assert kinds == {first: ["stim"], middle: ["rollout", "stim"], second: ["rollout", "rollout", "stim"]}
    assert len(made.get(RUNS).json["runs"]) == 3
    assert made.get(f"{RUNS}?ref=main").json == made.get(RUNS).json

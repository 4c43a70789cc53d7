"""The six operations of stim and rollout, as published clients use them."""

import json
from typing import Any

import pytest
from aibread.types.targets import (
    RolloutGetOutputResponse,
    RolloutResponse,
    StimGetOutputResponse,
    StimResponse,
)
from flask import Flask

from app.api import runs as views
from tests.app.api.helpers import PROMPTS, TARGETS, demo
from tests.app.api.runs import (
    CONFIG,
    QUESTIONS,
    ROLLOUT,
    STIM,
    finish,
    make_target,
    perform_all,
    runs_of,
    serve_models,
    start,
    working,
)
from tests.client import Client, assert_error, assert_mistakes
from tests.faulty_proxy import FaultyProxy
from tests.replies import EMPTY, TRUNCATED, UNPROCESSABLE

NO_MODEL = "http://127.0.0.1:9/v1"  # nobody listens there


@pytest.fixture
def made(app: Flask, alice: Client, proxy: FaultyProxy) -> Client:
    """Return alice's requests; her target `a` can be carried out, and no worker is there."""
    serve_models(app, proxy.url)
    make_target(alice)
    return alice


@pytest.fixture
def finished(app: Flask, made: Client) -> Client:
    """Return alice's requests; the stim and the rollout of `a` are complete."""
    start(made, STIM)
    with working(app):
        assert finish(made, ROLLOUT)["status"] == "complete"
    return made


def parses(kind: type[Any], answer: dict[str, Any]) -> None:
    """Expect an answer that a client of the SDK reads strictly, with no field of another type."""
    assert kind.model_validate(answer, strict=True).to_dict() == answer


def test_a_stim_without_a_model_is_complete_in_the_answer_to_its_post(made: Client):
    status = start(made, STIM)
    assert (status["status"], status["lines"], status["progress_percent"], status["error"]) == (
        "complete",
        2,
        100,
        None,
    )
    assert status["config"] == {name: CONFIG[name] for name in ("generators", "teacher_prompt", "student_prompt")}
    assert type(status["job_id"]) is int
    assert (status["stale"], status["warnings"], status["requests"]) == (False, [], 0)
    assert (status["started_by"]["user"], status["started_by"]["token"]) == ("alice", "initial")
    assert status["created"] <= status["finished"]
    parses(StimResponse, status)
    assert made.get(STIM).json == status


def test_what_the_sdk_parses_is_what_is_sent(finished: Client):
    for kind, address in (
        (StimResponse, STIM),
        (StimGetOutputResponse, f"{STIM}/output"),
        (RolloutResponse, ROLLOUT),
        (RolloutGetOutputResponse, f"{ROLLOUT}/output"),
    ):
        parses(kind, finished.get(address).json)


def test_nothing_was_started_yet(made: Client):
    for address in (STIM, ROLLOUT):
        status = made.get(address).json
        assert (status["status"], status["lines"], status["progress_percent"], status["job_id"]) == (
            "not_started",
            0,
            0,
            None,
        )
        page = made.get(f"{address}/output").json
        assert (page["status"], page["output"], page["has_more"]) == ("not_started", [], False)
        assert (page["offset"], page["limit"]) == (0, 100)


def test_a_rollout_that_nobody_carries_out_is_running_after_two_seconds(made: Client, proxy: FaultyProxy):
    start(made, STIM)
    status = start(made, ROLLOUT)
    assert (status["status"], status["lines"], status["total_expected"], status["progress_percent"]) == (
        "running",
        0,
        6,
        0,
    )
    assert status["finished"] is None
    assert proxy.seen == []


def test_a_rollout_records_an_answer_for_each_trajectory(finished: Client, proxy: FaultyProxy):
    status = finished.get(ROLLOUT).json
    assert (status["status"], status["lines"], status["total_expected"]) == ("complete", 6, 6)
    assert (status["requests"], status["retries"], status["repeated_requests"], status["failed_rows"]) == (6, 0, 0, 0)
    assert (status["tokens_in"], status["tokens_out"]) == (6 * 7, 6 * 3)
    assert status["config"]["model_name"] == "m"
    assert status["config"]["num_traj_per_stimulus"] == 3
    output = finished.get(f"{ROLLOUT}/output").json["output"]
    assert [(row["stimulus_id"], row["trajectory_id"]) for row in output] == [(s, t) for s in (0, 1) for t in (0, 1, 2)]
    assert {row["response"]["content"] for row in output[3:]} == {"An answer to: Why?"}
    assert {row["commit"] for row in output} == {status["commit"]}
    assert len(proxy.bodies()) == 6


def test_a_post_again_is_the_same_run_and_asks_nobody(finished: Client, proxy: FaultyProxy):
    before = finished.get(ROLLOUT).json
    assert start(finished, ROLLOUT) == before
    assert len(proxy.bodies()) == 6


def test_failed_truncated_and_empty_rows_are_counted(app: Flask, made: Client, proxy: FaultyProxy):
    make_target(made, num_traj_per_stimulus=20, max_concurrency=1)
    start(made, STIM)
    proxy.replies(UNPROCESSABLE, TRUNCATED, EMPTY)
    with working(app):
        status = finish(made, ROLLOUT)
    assert (status["status"], status["failed_rows"], status["truncated"], status["empty"]) == ("complete", 1, 1, 1)
    row = made.get(f"{ROLLOUT}/output?limit=1").json["output"][0]
    assert row["response"] is None
    assert row["error"]["status"] == 422
    assert "temperature must be at most 2." in row["error"]["message"]


def test_a_page_is_short_only_where_nothing_follows(finished: Client):
    whole = finished.get(f"{ROLLOUT}/output").json["output"]
    for limit in (1, 4, 6, 1000):
        offset, found, has_more = 0, [], True
        while has_more:
            page = finished.get(f"{ROLLOUT}/output?offset={offset}&limit={limit}").json
            assert (page["offset"], page["limit"]) == (offset, limit)
            has_more, offset = page["has_more"], offset + limit
            assert len(page["output"]) == limit or not has_more
            found += page["output"]
        assert found == whole
    beyond = finished.get(f"{ROLLOUT}/output?offset=6").json
    assert (beyond["output"], beyond["has_more"], beyond["lines"]) == ([], False, 6)
    assert finished.get(f"{ROLLOUT}/output?offset=1000000000").json["output"] == []


def test_pages_outside_their_bounds_are_refused(made: Client):
    for address in (STIM, ROLLOUT):
        for query, name, kind in (
            ("offset=-1", "offset", "greater_than_equal"),
            ("limit=0", "limit", "greater_than_equal"),
            ("limit=1001", "limit", "less_than_equal"),
            ("limit=ten", "limit", "int_parsing"),
        ):
            assert_mistakes(made.get(f"{address}/output?{query}"), (["query", name], kind))


def test_a_page_that_is_too_large_says_what_to_do(finished: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(views, "_LARGEST_PAGE", 1000)
    answer = finished.get(f"{ROLLOUT}/output")
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE", "more than 1000 bytes", "a limit below 100")
    assert len(finished.get(f"{ROLLOUT}/output?limit=1").json["output"]) == 1


def test_a_page_of_a_complete_run_has_a_version(made: Client, finished: Client):
    page = finished.get(f"{STIM}/output?limit=1")
    known = finished.get(f"{STIM}/output?limit=1", If_None_Match=page.headers["ETag"])
    assert (known.status_code, known.data) == (304, b"")
    assert finished.get(f"{STIM}/output", If_None_Match=page.headers["ETag"]).status_code == 200
    make_target(made, max_tokens=5, generators=[{"type": "hardcoded", "questions": ["New?"]}])
    stale = finished.get(f"{STIM}/output?limit=1", If_None_Match=page.headers["ETag"])
    assert (stale.status_code, stale.json["stale"]) == (200, True)


def test_a_run_that_goes_on_lists_its_rows_without_a_gap(app: Flask, made: Client, proxy: FaultyProxy):
    start(made, STIM)
    proxy.rule = lambda seen: EMPTY if seen.body["messages"][-1]["content"] == QUESTIONS[0] else None
    status = start(made, ROLLOUT)
    assert "ETag" not in made.get(f"{ROLLOUT}/output").headers
    perform_all(app)
    assert made.get(ROLLOUT).json["job_id"] == status["job_id"]
    assert made.get(ROLLOUT).json["lines"] == 6


def test_a_target_that_does_not_exist_is_answered_404(made: Client):
    for method, address in [
        *(("GET", f"{TARGETS}/none/{place}") for place in ("stim", "rollout", "stim/output", "rollout/rows")),
        *(("POST", f"{TARGETS}/none/{place}") for place in ("stim", "rollout")),
    ]:
        assert_error(made.request(method, address), 404, "RESOURCE_NOT_FOUND", "Target 'none'")
    assert_error(made.get("/v1/repo/none/targets/a/stim"), 404, "RESOURCE_NOT_FOUND", "Repo 'none'")


def test_everything_that_is_missing_is_told_at_once_with_400(app: Flask, alice: Client):
    alice.put(f"{TARGETS}/a", {"template": "default", "overrides": {"teacher_prompt": "t"}})
    missing = ("teacher_prompt: ", "student_prompt: ", "generators: ")
    assert_error(alice.post(STIM, None), 400, "INVALID_INPUT", *missing)
    extra = {"extra_kwargs": {"n": 2}}
    alice.put(f"{TARGETS}/a", {"template": "default", "overrides": {"model_name": "gpt", **extra}})
    assert_error(
        alice.post(ROLLOUT, None), 400, "INVALID_INPUT", *missing, "'gpt'", "endpoints.yml", "extra_kwargs.n: "
    )
    assert runs_of(app).table.list(runs_of(app).repos.open("alice/demo").identity()) == []


def test_a_rollout_needs_a_stim_of_the_same_content(made: Client):
    assert_error(made.post(ROLLOUT, None), 400, "INVALID_INPUT", "was not started", "Start the stim first")
    start(made, STIM)
    make_target(made, generators=[{"type": "hardcoded", "questions": ["Other?"]}])
    assert_error(made.post(ROLLOUT, None), 400, "INVALID_INPUT", "was not started")


def test_endpoints_that_cannot_be_read_are_no_fault_of_the_client(app: Flask, made: Client, finished: Client):
    data_dir = app.extensions["bakehouse"].settings.data_dir
    (data_dir / "endpoints.yml").write_text("- name: [")
    assert_error(made.post(ROLLOUT, None), 503, "STORAGE_UNAVAILABLE", "endpoints.yml")
    assert finished.get(ROLLOUT).json["status"] == "complete"


def test_a_body_has_no_fields(made: Client):
    for address in (STIM, f"{STIM}/cancel"):
        assert made.request("POST", address, b"").status_code == 200
        assert made.request("POST", address, b"{}").status_code == 200
        assert made.request("POST", address).status_code == 200
        assert_mistakes(made.post(address, {"n": 1}), (["body", "n"], "extra_forbidden"))
        assert_mistakes(made.post(address, []), (["body"], "dict_type"))
        assert_mistakes(made.request("POST", address, b"{"), (["body", 1], "json_invalid"))


def test_a_condition_means_nothing_to_a_run(made: Client):
    for address in (STIM, f"{STIM}/cancel"):
        assert_error(made.post(address, None, If_Match='"x"'), 400, "INVALID_INPUT", "If-Match")


def test_the_old_run_is_stale_once_the_target_is_another(finished: Client):
    before = finished.get(STIM).json
    finished.put(f"{PROMPTS}/t", {"messages": [{"role": "system", "content": "Be rude."}]})
    after = finished.get(STIM).json
    assert after == {**before, "stale": True}
    assert start(finished, STIM)["key"] != before["key"]
    assert finished.get(STIM).json["stale"] is False
    assert finished.get(ROLLOUT).json["stale"] is True


def test_a_spent_budget_is_answered_402(app: Flask, made: Client, proxy: FaultyProxy):
    make_target(made, max_concurrency=1)
    start(made, STIM)
    settings = runs_of(app).settings
    object.__setattr__(settings, "run_budget", 15)
    with working(app):
        status = finish(made, ROLLOUT)
    assert (status["status"], status["error_type"]) == ("failed", "budget")
    sent = len(proxy.bodies())
    assert_error(made.post(ROLLOUT, None), 402, "PAYMENT_REQUIRED", "BAKEHOUSE_RUN_BUDGET", "15")
    assert len(proxy.bodies()) == sent < 6
    object.__setattr__(settings, "run_budget", 0)
    with working(app):
        assert finish(made, ROLLOUT)["status"] == "complete"


def test_a_ledger_that_is_away_is_answered_503_and_the_rest_goes_on(app: Flask, made: Client):
    start(made, STIM)
    runs_of(app).database.close()
    path = app.extensions["bakehouse"].settings.data_dir / "runs.sqlite"
    for name in path.parent.glob("runs.sqlite*"):
        name.unlink()
    path.mkdir()
    for method, address in (("GET", STIM), ("POST", STIM), ("GET", f"{STIM}/rows"), ("GET", "/v1/repo/demo/runs")):
        answer = made.request(method, address)
        assert_error(answer, 503, "STORAGE_UNAVAILABLE", "The ledger of runs")
        assert int(answer.headers["Retry-After"]) > 0
    assert made.get(f"{TARGETS}/a").status_code == 200


def test_head_is_answered_without_a_body(finished: Client):
    for address in (STIM, f"{ROLLOUT}/output", f"{ROLLOUT}/rows", "/v1/repo/demo/runs"):
        answer = finished.request("HEAD", address)
        assert (answer.status_code, answer.data) == (200, b"")


def test_the_manifest_of_a_run_tells_who_started_it_and_why(app: Flask, made: Client):
    start(made, STIM)
    with working(app):
        made.request("POST", ROLLOUT, X_Change_Reason="For the release")
    assert demo(app, "log", "-1", "--format=%an: %b").startswith("Alice: For the release\n")


def test_a_run_writes_its_manifest_and_nothing_else(app: Flask, made: Client):
    before = demo(app, "rev-parse", "main")
    start(made, STIM)
    changed = demo(app, "diff", "--name-only", before.strip(), "main").split()
    assert [path.partition("-")[0] for path in changed] == ["runs/a/stim"]
    assert json.loads(made.get(STIM).data)["manifest_commit"] == demo(app, "rev-parse", "main").strip()


def test_a_run_costs_what_the_endpoint_asks_for_its_tokens(app: Flask, finished: Client, proxy: FaultyProxy):
    assert finished.get(ROLLOUT).json["cost"] is None
    serve_models(app, proxy.url, prices={"input": 1000, "output": 2000})
    assert finished.get(ROLLOUT).json["cost"] == (42 * 1000 + 18 * 2000) / 1_000_000
    assert {run["kind"]: run["cost"] for run in finished.get("/v1/repo/demo/runs").json["runs"]} == {
        "stim": None,  # no model was asked
        "rollout": 0.078,
    }
    serve_models(app, proxy.url, prices={"output": 0.5})
    assert finished.get(ROLLOUT).json["cost"] == 0.000009
    (app.extensions["bakehouse"].settings.data_dir / "endpoints.yml").write_text("wrong")
    assert finished.get(ROLLOUT).json["cost"] is None

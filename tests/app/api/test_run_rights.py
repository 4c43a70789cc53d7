"""Who may read, start, cancel and delete runs."""

import pytest
from flask import Flask

from app.wire.contract import contract_of
from tests.app.api.helpers import TARGETS, Limited, new_token, new_user
from tests.app.api.runs import ROLLOUT, STIM, make_target, start
from tests.client import Client, assert_error

RUNS = "/v1/repo/demo/runs"


@pytest.fixture
def requests(app: Flask, alice: Client) -> list[tuple[str, str]]:
    """Every request about runs, as method and address; the stim of target `a` is complete."""
    make_target(alice)
    key = start(alice, STIM)["key"]
    names = {"repo_name": "demo", "target_name": "a", "run_key": key}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in ("runs", "run_rows")]
    assert all(contract_of(app.view_functions[rule.endpoint]).in_repo for rule in rules)
    found = [
        (method, rule.build({name: names[name] for name in rule.arguments})[1])
        for rule in rules
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
    ]
    assert len(found) == 13
    return sorted(found)


def statuses(client: Client, requests: list[tuple[str, str]], **headers: str) -> dict[tuple[str, str], int]:
    return {(method, path): client.request(method, path, **headers).status_code for method, path in requests}


def test_a_token_for_reading_reads_and_does_nothing_else(
    master: Client, alice: Client, requests: list[tuple[str, str]]
):
    before = alice.get(RUNS).json
    found = statuses(new_token(master, access="read"), requests)
    for (method, path), status in found.items():
        expected = 404 if path.startswith(f"{ROLLOUT}/rows") else 200  # no rollout was started
        assert status == (expected if method == "GET" else 403), (method, path)
    assert alice.get(RUNS).json == before


def test_a_guest_may_what_the_grant_says(master: Client, alice: Client, requests: list[tuple[str, str]]):
    bob = new_user(master, "bob")
    assert set(statuses(bob, requests, X_User_Id="alice").values()) == {403}
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    for (method, path), status in statuses(bob, requests, X_User_Id="alice").items():
        assert status in ((200, 404) if method == "GET" else (403,)), (method, path)
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    make_target(alice, generators=[{"type": "hardcoded", "questions": ["New?"]}])
    status = bob.request("POST", STIM, X_User_Id="alice").json
    assert (status["status"], status["started_by"]["user"]) == ("complete", "bob")
    deletion = f"{TARGETS}/a/runs/{status['key']}"
    assert bob.delete(deletion, X_User_Id="alice").status_code == 200


def test_a_stranger_finds_nothing(master: Client, alice: Client, requests: list[tuple[str, str]]):
    before = alice.get(RUNS).json
    eve = new_user(master, "eve")
    for method, path in requests:
        assert_error(eve.request(method, path), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
        assert_error(Client(eve.app, None).request(method, path), 401, "UNAUTHORIZED")
    assert alice.get(RUNS).json == before


def test_the_master_key_acts_for_the_owner(master: Client, alice: Client, requests: list[tuple[str, str]]):
    before = alice.get(RUNS).json["runs"]
    assert set(statuses(master, requests, X_User_Id="alice").values()) <= {200, 400, 404}
    [run] = alice.get(RUNS).json["runs"]  # the master key deleted the stim, and started it again
    assert run["job_id"] > before[0]["job_id"]
    assert (run["key"], run["started_by"]["user"]) == (before[0]["key"], "alice")


def test_the_rate_of_a_token_counts_requests_about_runs(limited: Limited):
    client = limited(rate_limit=60)
    answers = [client.get(RUNS) for _ in range(80)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert_error(answers[-1], 429, "RATE_LIMITED", "60 times a minute")

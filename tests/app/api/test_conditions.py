"""Conditions of writes: each is heeded, or refused; none is passed over."""

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.api import examples
from app.wire.contract import contract_of
from tests.app.api.helpers import DEFAULT, MESSAGES, PROMPTS, TARGETS, new_user
from tests.app.api.write_routes import everything, send, writes
from tests.client import Client, assert_error
from tests.payloads import target

GRANTS = "/v1/repo/demo/grants"
OTHER = '"0000000000000000000000000000000000000000"'
BATCH = {"targets": [target("t", temperature=0.5)]}
PROMPT_BATCH = {"prompts": {"p": MESSAGES}}


@pytest.fixture
def repo(master: Client, alice: Client) -> Client:
    """Return alice's requests; her repo has one of each thing, and a grant for bob."""
    new_user(master, "bob")
    alice.put(f"{TARGETS}/there", {"template": "default"})
    alice.put(f"{PROMPTS}/there", {"messages": MESSAGES})
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    alice.put("/v1/repo/demo/labels/there", {"ref": "main"})
    alice.put(f"{GRANTS}/bob", {"access": "read"})
    return alice


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "If-Unmodified-Since"])
def test_a_condition_that_means_nothing_is_refused(app: Flask, master: Client, repo: Client, header: str):
    before = everything(app)
    for rule, method in writes(app):
        client = master if "/admin/" in rule.rule else repo
        if header not in contract_of(app.view_functions[rule.endpoint]).conditions:
            answer = send(client, rule, method, **{header.replace("-", "_"): OTHER})
            assert_error(answer, 400, "INVALID_INPUT", header)
    assert everything(app) == before


def test_a_condition_that_does_not_hold_stops_every_write_that_takes_it(app: Flask, master: Client, repo: Client):
    before, heeding = everything(app), 0
    for rule, method in writes(app):
        if "If-Match" in contract_of(app.view_functions[rule.endpoint]).conditions:
            heeding += 1
            client = master if "/admin/" in rule.rule else repo
            assert_error(send(client, rule, method, If_Match=OTHER), 412, "PRECONDITION_FAILED")
    assert everything(app) == before
    assert heeding >= 15


@pytest.mark.parametrize(
    "malformed", ["", " ", ",", '"', '"abc', 'W/"', '*, "abc"', '"abc", *', '"a" "', "a*", '"a""b"']
)
def test_a_malformed_condition_is_refused(app: Flask, repo: Client, malformed: str):
    before = everything(app)
    for header in ("If_Match", "If_None_Match"):
        answer = repo.put(f"{TARGETS}/there", {"template": "default"}, **{header: malformed})
        assert_error(answer, 400, "INVALID_INPUT", header.replace("_", "-"))
    assert everything(app) == before
    assert repo.get(f"{TARGETS}/there", If_None_Match=malformed).status_code == 200


WRITES: list[tuple[str, Callable[..., TestResponse]]] = [
    (TARGETS, lambda client, **headers: client.post(TARGETS, target("t"), **headers)),
    (TARGETS, lambda client, **headers: client.put(f"{TARGETS}/batch", BATCH, **headers)),
    (TARGETS, lambda client, **headers: client.post(f"{TARGETS}/batch", BATCH, **headers)),
    (PROMPTS, lambda client, **headers: client.post(PROMPTS, examples.CREATE_PROMPT, **headers)),
    (PROMPTS, lambda client, **headers: client.post(f"{PROMPTS}/batch", PROMPT_BATCH, **headers)),
    (PROMPTS, lambda client, **headers: client.put(f"{PROMPTS}/batch", PROMPT_BATCH, **headers)),
    (GRANTS, lambda client, **headers: client.put(f"{GRANTS}/bob", {"access": "read"}, **headers)),
    (GRANTS, lambda client, **headers: client.delete(f"{GRANTS}/bob", **headers)),
]


@pytest.mark.parametrize(("collection", "write"), WRITES)
def test_what_is_written_to_a_list_heeds_the_version_of_the_list(
    repo: Client, collection: str, write: Callable[..., TestResponse]
):
    seen = repo.get(collection).headers["ETag"]
    repo.put(f"{TARGETS}/other", {"template": "default"})
    repo.put(f"{PROMPTS}/other", {"messages": []})
    repo.put(f"{GRANTS}/bob", {"access": "write"})
    now = repo.get(collection).headers["ETag"]
    assert now != seen
    assert_error(write(repo, If_Match=seen), 412, "PRECONDITION_FAILED", f"'{collection.rpartition('/')[2]}'", now)
    done = write(repo, If_Match=f"{seen}, {now}")
    assert done.status_code in (200, 201)
    assert done.headers["Git-Commit"] == repo.get(TARGETS).headers["Git-Commit"]
    assert repo.get(collection, If_None_Match=now).status_code == 200


def test_the_first_thing_of_a_list_can_be_conditional(alice: Client):
    empty = alice.get(TARGETS).headers["ETag"]
    assert alice.post(f"{TARGETS}/batch", BATCH, If_Match=empty).status_code == 200
    assert_error(alice.post(f"{TARGETS}/batch", BATCH, If_Match=empty), 412, "PRECONDITION_FAILED")
    assert alice.post(f"{TARGETS}/batch", BATCH, If_Match="*").status_code == 200


# What proxies make of `"<version>"` when they compress an answer, and what a shell makes of it.
CHANGED_ON_THE_WAY = ['W/"{}"', '"{}-gzip"', 'W/"{}-gzip"', '"{}--gzip"', '"{};gzip"', '"{}-br"', "{}"]


@pytest.mark.parametrize("changed", CHANGED_ON_THE_WAY)
def test_a_version_that_a_proxy_changed_still_matches(repo: Client, changed: str):
    path = f"{TARGETS}/there"
    etag = changed.format(repo.get(path).headers["ETag"].strip('"'))
    assert repo.get(path, If_None_Match=etag).status_code == 304
    change = {"template": "default", "overrides": {"temperature": 0.5}}
    assert_error(repo.put(path, change, If_None_Match=etag), 412, "PRECONDITION_FAILED")
    assert repo.put(path, change, If_Match=f'"other", {etag}').status_code == 200
    assert_error(repo.put(path, change, If_Match=etag), 412, "PRECONDITION_FAILED")
    assert repo.get(path, If_None_Match=etag).status_code == 200
    listed = changed.format(repo.get(TARGETS).headers["ETag"].strip('"'))
    assert repo.put(f"{TARGETS}/batch", BATCH, If_Match=listed).status_code == 200


def test_a_deletion_and_a_revert_heed_if_none_match(repo: Client):
    path = f"{TARGETS}/there"
    assert_error(repo.delete(path, If_None_Match="*"), 412, "PRECONDITION_FAILED")
    assert repo.delete(path, If_None_Match=OTHER).status_code == 200
    undelete = {"to": "v1"}
    assert repo.post(f"{path}/revert", undelete, If_None_Match="*").status_code == 200
    assert_error(repo.post(f"{path}/revert", undelete, If_None_Match="*"), 412, "PRECONDITION_FAILED", "'there'")


def test_a_failed_condition_names_the_default_as_users_do(alice: Client):
    answer = alice.put(DEFAULT, {"config": {}}, If_Match=OTHER)
    assert_error(answer, 412, "PRECONDITION_FAILED", "'default' is at version")


def test_the_list_of_grants_has_a_version(repo: Client):
    listed = repo.get(GRANTS)
    known = repo.get(GRANTS, If_None_Match=listed.headers["ETag"])
    assert (known.status_code, known.data, known.headers["Git-Commit"]) == (304, b"", listed.headers["Git-Commit"])

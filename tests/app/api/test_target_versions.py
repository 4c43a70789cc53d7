"""The versions of a target: its ETag, and reads and writes that depend on the version."""

import threading

from flask import Flask

from tests.app.api.helpers import TARGETS, demo, log
from tests.client import Client, assert_error


def test_get_and_put_heed_if_match_and_if_none_match(app: Flask, alice: Client):
    path = f"{TARGETS}/a"
    first = alice.put(path, {"template": "default"}, If_None_Match="*")
    blob = demo(app, "rev-parse", "main:targets/a.yml").strip()
    assert first.headers["ETag"] == f'"{blob}"'
    assert first.headers["Git-Commit"] == log(app, "-1", "--format=%H").strip()
    etag = first.headers["ETag"]

    fresh = alice.get(path, If_None_Match=etag)
    assert (fresh.status_code, fresh.data, fresh.headers["ETag"]) == (304, b"", etag)
    assert alice.get(path, If_None_Match='"other"').status_code == 200

    change = {"template": "a", "overrides": {"temperature": 0.5}}
    assert_error(alice.put(path, change, If_None_Match="*"), 412, "PRECONDITION_FAILED", "'a'")
    assert_error(alice.put(path, change, If_None_Match=etag), 412, "PRECONDITION_FAILED")
    assert_error(alice.put(path, change, If_Match='"other"'), 412, "PRECONDITION_FAILED", blob)
    assert_error(alice.put(f"{TARGETS}/b", change, If_Match="*"), 412, "PRECONDITION_FAILED", "does not exist")
    assert alice.get(path).headers["ETag"] == etag
    changed = alice.put(path, change, If_Match=f'"other", {etag}')
    assert changed.status_code == 200
    assert_error(alice.put(path, change, If_Match=etag), 412, "PRECONDITION_FAILED")
    assert alice.put(path, change, If_Match="*").status_code == 200
    now = alice.get(path).headers["ETag"]
    assert_error(alice.put(path, change, If_None_Match=f"W/{now}"), 412, "PRECONDITION_FAILED")
    assert_error(alice.put(path, change, If_Match='"*"'), 412, "PRECONDITION_FAILED")
    now = alice.put(path, change, If_None_Match='"*"').headers["ETag"]
    assert alice.get(path, If_None_Match=f'"other", W/{now}').status_code == 304
    assert alice.get(path, If_None_Match="*").status_code == 304


def test_of_several_puts_with_the_same_if_match_one_succeeds(alice: Client):
    path = f"{TARGETS}/a"
    etag = alice.put(path, {"template": "default"}).headers["ETag"]
    statuses: list[int] = []

    def write(number: int) -> None:
        body = {"template": "default", "overrides": {"max_tokens": number}}
        statuses.append(alice.put(path, body, If_Match=etag).status_code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [412] * 7

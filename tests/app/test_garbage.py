"""Objects that a request leaves in memory until the garbage collector runs, which a server does rarely."""

import gc
import gzip
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask, Request, request

from app.registry.configs.target_requests import TargetRequest
from storage.errors import StorageUnavailable
from storage.transaction import Transaction
from tests.client import Client
from tests.payloads import made, target
from tests.seams import fill_disk
from tests.storage.repositories import put

TARGETS = "/v1/repo/demo/targets"
TIMES = 50
_LARGE = {"marker": ["word"] * 1000}

# By status, and why: method, address, body and headers.
REFUSALS = {
    "400: a header": ("GET", TARGETS, None, {"X_User_Id": "/.."}),
    "400: it broke off": ("POST", TARGETS, gzip.compress(b"{}")[:-4], {"Content_Encoding": "gzip"}),
    "400: not gzip": ("POST", TARGETS, b"{}", {"Content_Encoding": "gzip"}),
    "401": ("POST", TARGETS, target("new"), {"Authorization": "Bearer nobody"}),
    "403": ("POST", "/v1/admin/users", {"user_id": "eve"}, {}),
    "404: no repo": ("POST", "/v1/repo/none/targets", target("new"), {}),
    "404: no template": ("POST", TARGETS, target("new", "none", extra_kwargs=_LARGE), {}),
    "404: no target": ("GET", f"{TARGETS}/none", None, {}),
    "404: nothing to delete": ("DELETE", f"{TARGETS}/none", None, {}),
    "404: no such ref": ("GET", f"{TARGETS}?ref=none", None, {}),
    "404: no address": ("POST", "/nowhere", target("new"), {}),
    "405": ("PATCH", TARGETS, target("new"), {}),
    "409": ("POST", TARGETS, target("there", extra_kwargs=_LARGE), {}),
    "409: a batch": (
        "POST",
        f"{TARGETS}/batch",
        {"targets": [*(target(f"new-{number}") for number in range(20)), target("there", temperature=0.1)]},
        {},
    ),
    "412": ("PUT", f"{TARGETS}/there", made(extra_kwargs=_LARGE), {"If_Match": '"another"'}),
    "413": ("POST", TARGETS, b" " * (8 * 1024 * 1024 + 1), {}),
    "422: no JSON": ("POST", TARGETS, b"{" * 10, {}),
    "422: too deep": ("POST", TARGETS, b"[" * 5000, {}),
    "422: fields": ("POST", TARGETS, target("a b", temperature=9, extra_kwargs=_LARGE), {}),
    "422: generators": ("POST", TARGETS, target("new", generators=[{"type": "hardcoded"}, {"numq": 0}]), {}),
    "422: the query": ("GET", "/v1/repo/demo/log?limit=x", None, {}),
}


@pytest.fixture(autouse=True)
def _without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    logging.disable()  # pytest keeps what is logged, exceptions and all
    yield
    logging.disable(logging.NOTSET)
    gc.enable()


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_request_leaves_no_objects(alice: Client, refusal: str):
    method, path, body, headers = REFUSALS[refusal]
    alice.post(TARGETS, target("there"))
    expect_nothing_left(alice, int(refusal[:3]), method, path, body, headers)


def test_a_bug_leaves_no_objects(app: Flask, master: Client):
    app.testing = False

    @app.post("/bug")
    def bug():
        body = request.get_json()
        raise RuntimeError(len(body))

    expect_nothing_left(master, 500, "POST", "/bug", _LARGE, {})


def test_a_full_disk_leaves_no_objects(alice: Client, monkeypatch: pytest.MonkeyPatch):
    fill_disk(monkeypatch)
    expect_nothing_left(alice, 503, "POST", TARGETS, target("new", extra_kwargs=_LARGE), {})


def test_writers_that_fail_together_leave_no_objects(alice: Client, monkeypatch: pytest.MonkeyPatch):
    """One exception is raised in all writers that wait for one flush."""
    repository = alice.app.extensions["bakehouse"].store.open("alice/demo")
    failed: list[str] = []

    def write(number: int) -> None:
        try:
            repository.transact(put(f"targets/{number}.yml", b"{}\n"))
        except StorageUnavailable as error:
            failed.append(str(error))

    fill_disk(monkeypatch)
    before = alive()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    assert len(failed) == 80
    assert alive() - before == Counter()


def expect_nothing_left(client: Client, status: int, method: str, path: str, body, headers) -> None:
    """Send a request many times, and expect that no object of these requests stays in memory."""
    assert client.request(method, path, body, **headers).status_code == status
    before = alive()
    for _ in range(TIMES):
        client.request(method, path, body, **headers)
    assert alive() - before == Counter()


def alive() -> Counter[str]:
    """Count the objects that a request could leave in memory, by type."""
    kinds = BaseException, Request, Transaction, TargetRequest
    return Counter(
        type(thing).__name__
        for thing in gc.get_objects()
        if isinstance(thing, kinds) or (isinstance(thing, dict) and "marker" in thing)
    )

"""The table of errors: complete, documented, and without internal details."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.errors import CODES, STATUSES
from app.schemas.base import InvalidRequest
from storage.errors import RepositoryDamaged, StorageError, StorageUnavailable
from tests.client import Client, assert_error

API = Path(__file__).parents[2] / "docs/api.md"


def test_every_code_is_documented():
    rows = re.findall(r"^\| (\d{3}) \| `([A-Z_]+)` \|", API.read_text(), re.MULTILINE)
    assert {int(status): code for status, code in rows} == CODES


def test_every_storage_error_has_an_answer():
    kinds = set(StorageError.__subclasses__())
    handled_by_the_registry, answered_as_a_mistake = "RepositoryExists", "TooLarge"
    others = {kind.__name__ for kind in kinds - STATUSES.keys()}
    assert others == {handled_by_the_registry, answered_as_a_mistake}
    assert set(STATUSES.values()) <= CODES.keys()


@pytest.mark.parametrize("kind", [*STATUSES, InvalidRequest])
def test_a_subclass_has_the_status_of_its_base(app: Flask, master: Client, kind: type[Exception]):
    subclass = type("Subclass", (kind,), {"__init__": lambda *_: None, "__str__": lambda _: "why"})
    error = subclass()
    vars(error).update(scheme="Bearer", seconds=1, mistakes=[])
    app.add_url_rule("/raise", "raise", lambda: raise_(error))
    assert master.get("/raise").status_code == STATUSES.get(kind, 422)


def raise_(error: Exception) -> None:
    raise error


def test_a_bug_is_answered_500_without_its_details(app: Flask, master: Client, caplog: pytest.LogCaptureFixture):
    app.testing = False

    @app.get("/bug")
    def bug():
        raise RuntimeError("/secret/path")

    response = master.get("/bug", X_Request_Id="abc")
    assert_error(response, 500, "INTERNAL_ERROR", "abc")
    assert "secret" not in response.text
    assert "/secret/path" in caplog.text


def test_a_request_that_memory_does_not_suffice_for_is_answered_503(app: Flask, master: Client):
    @app.get("/large")
    def large():
        raise MemoryError

    response = master.get("/large")
    assert_error(response, 503, "STORAGE_UNAVAILABLE", "memory")
    assert response.headers["Retry-After"]


@pytest.mark.parametrize("kind", [StorageUnavailable, RepositoryDamaged])
def test_an_error_that_told_a_path_of_the_server_would_fail_its_test(
    app: Flask, master: Client, kind: Callable[[str, str], Exception]
):
    reason = f"{app.extensions['bakehouse'].settings.data_dir}/x is missing"
    app.add_url_rule("/raise", "raise", lambda: raise_(kind("demo", reason)))
    with pytest.raises(AssertionError, match="the error tells"):
        master.get("/raise")


def test_unknown_addresses_are_answered_404_and_methods_405(master: Client):
    assert_error(master.get("/nope"), 404, "RESOURCE_NOT_FOUND", "/nope. All operations are listed at /docs.")
    response = master.request("DELETE", "/v1/repo")
    assert_error(response, 405, "METHOD_NOT_ALLOWED", "DELETE", "/v1/repo")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST", "PUT"}


def test_a_conflict_says_that_a_retry_is_useless(alice: Client):
    response = alice.post("/v1/repo", {"repo_name": "demo", "base_model": "other"})
    assert_error(response, 409, "RESOURCE_CONFLICT", "'demo'")
    assert response.headers["X-Should-Retry"] == "false"


def test_every_answer_has_a_request_id(master: Client):
    assert master.get("/v1/repo", X_Request_Id="my-id.1").headers["X-Request-Id"] == "my-id.1"
    made = master.get("/v1/repo", X_Request_Id="not an\tid").headers["X-Request-Id"]
    assert len(made) == 32
    assert master.get("/nope").headers["X-Request-Id"] != made

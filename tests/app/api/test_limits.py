"""Limits on bodies, names and rates: each is a setting, and the refusal names the limit."""

import fcntl
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.wire import rates
from tests.app.api.helpers import Limited
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import target
from tests.server import MASTER_KEY

TARGETS = "/v1/repo/demo/targets"
Packer = Callable[[bytes], bytes]


def test_a_body_that_is_too_deep_is_refused(limited: Limited):
    client = limited(max_depth=10)
    nested: object = 1
    for _ in range(7):
        nested = {"a": nested}
    assert client.post(TARGETS, target("a", extra_kwargs=nested)).status_code == 201
    response = client.post(TARGETS, target("b", extra_kwargs={"a": {"a": nested}}))
    assert_mistakes(response, (["body"], "json_invalid"))
    assert "10 levels" in response.json["detail"][0]["msg"]


def test_lists_and_objects_that_are_too_long_are_refused(limited: Limited):
    client = limited(max_items=5)
    questions = [{"type": "hardcoded", "questions": list("abcde")}]
    assert client.post(TARGETS, target("a", generators=questions)).status_code == 201
    questions = [{"type": "hardcoded", "questions": list("abcdef")}]
    assert_mistakes(
        client.post(TARGETS, target("b", generators=questions)),
        (["body", "overrides", "generators", 0, "questions"], "too_long"),
    )
    kwargs = dict.fromkeys("abcdef")
    assert_mistakes(
        client.post(TARGETS, target("b", extra_kwargs=kwargs)),
        (["body", "overrides", "extra_kwargs"], "too_long"),
    )
    batch = {"targets": [target(name, temperature=1.0) for name in "bcdefg"]}
    assert_mistakes(client.post(f"{TARGETS}/batch", batch), (["body", "targets"], "too_long"))
    assert client.get(TARGETS).json == {"targets": ["a"]}


def test_new_names_that_are_too_long_are_refused(limited: Limited):
    limited().post(TARGETS, target("long-ago", temperature=1.0))
    client = limited(max_name=5)
    wrong = "string_pattern_mismatch"
    assert_mistakes(client.post(TARGETS, target("longer")), (["body", "target_name"], wrong))
    assert_mistakes(client.put(f"{TARGETS}/longer", {"template": "default"}), (["path", "target_name"], wrong))
    assert_mistakes(client.post("/v1/repo", {"repo_name": "longer"}), (["body", "repo_name"], wrong))
    assert_mistakes(client.post("/v1/repo/demo/tags", {"name": "longer"}), (["body", "name"], wrong))
    batch = {"prompts": {"longer": []}}
    assert_mistakes(client.post("/v1/repo/demo/prompts/batch", batch), (["body", "prompts", "longer"], wrong))
    assert client.post(TARGETS, target("short", "long-ago")).status_code == 201
    assert client.get(f"{TARGETS}/long-ago").status_code == 200
    assert client.delete(f"{TARGETS}/long-ago").status_code == 200


def test_a_body_may_be_gzip(limited: Limited):
    client = limited()
    packed = gzip.compress(b'{"target_name": "a", "template": "default"}')
    assert client.request("POST", TARGETS, packed, Content_Encoding="gzip").status_code == 201


def test_a_gzip_bomb_is_answered_413(limited: Limited):
    client = limited(max_body=100_000)
    packed = gzip.compress(b'{"target_name": "' + b"a" * 50_000_000 + b'"}')
    assert len(packed) < 100_000
    response = client.request("POST", TARGETS, packed, Content_Encoding="gzip")
    assert_error(response, 413, "PAYLOAD_TOO_LARGE", "100000")


def packed_as_it_is(body: bytes) -> bytes:
    """Return a body as gzip that does not make it smaller."""
    return gzip.compress(body, compresslevel=0)


@pytest.mark.parametrize("pack", [None, gzip.compress, packed_as_it_is])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_may_have_as_many_bytes_as_the_limit(limited: Limited, pack: Packer | None, is_chunked: bool):
    client = limited(max_body=20_000)
    headers = {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}
    headers |= {"Content-Encoding": "gzip"} if pack else {}
    for size, status in ((20_000, 201), (20_001, 413)):
        body = json.dumps(target(f"a{size}")).encode().ljust(size)
        sent = pack(body) if pack else body
        environ = {"wsgi.input_terminated": True}  # as gunicorn says it, with chunks and without
        environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""} if is_chunked else {}
        answer = client.app.test_client().post(TARGETS, data=sent, headers=headers, environ_overrides=environ)
        assert answer.status_code == status, answer.text
        if status == 413:
            assert_error(answer, 413, "PAYLOAD_TOO_LARGE", "20000")


def test_gzip_that_never_unpacks_to_anything_is_cut_off(limited: Limited):
    nothing = b"\x00\x00\x00\xff\xff" * 10_000  # blocks without content
    packed = gzip.compress(b"")[:10] + nothing
    answer = limited(max_body=20_000).request("POST", TARGETS, packed, Content_Encoding="gzip")
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE", "20000")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"{}"), ("gzip", gzip.compress(b"{}", mtime=0)[:-9]), ("br", b"{}"), ("gzip, gzip", b"{}")],
)
def test_a_body_that_is_not_encoded_as_its_header_says_is_refused(limited: Limited, encoding: str, body: bytes):
    response = limited().request("POST", TARGETS, body, Content_Encoding=encoding)
    assert_error(response, 400, "INVALID_INPUT", "gzip")


class Clock:
    """The monotonic clock, as the test sets it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rates, "time", clock)
    return clock


def test_rates_are_not_limited_by_default(limited: Limited, tmp_path: Path):
    client = limited()
    assert all(client.get(TARGETS).status_code == 200 for _ in range(300))
    assert not (tmp_path / "data/rates").exists()


def test_a_token_over_its_rate_is_answered_429_with_retry_after(limited: Limited, clock: Clock):
    client = limited(rate_limit=6)  # the fixture has used one
    assert [client.get(TARGETS).status_code for _ in range(6)] == [200] * 5 + [429]
    response = client.get(TARGETS)
    assert_error(response, 429, "RATE_LIMITED", "6 times a minute", "10 seconds")
    assert response.headers["Retry-After"] == "10"
    clock.now += 9.5
    assert client.get(TARGETS).headers["Retry-After"] == "1"
    clock.now += 0.5
    assert client.get(TARGETS).status_code == 200
    assert client.get(TARGETS).status_code == 429
    clock.now += 60
    assert [client.get(TARGETS).status_code for _ in range(7)] == [200] * 6 + [429]


def test_each_token_is_counted_alone_over_all_processes(limited: Limited, clock: Clock):
    client = limited(rate_limit=6)
    token = client.post("/v1/admin/users", {"user_id": "alice"}).json["api_key"]
    other_process = limited(rate_limit=6)
    answers = [Client(app, token).get("/v1/repo").status_code for app in (client.app, other_process.app) * 4]
    assert answers == [200] * 6 + [429] * 2
    assert [client.get("/v1/repo").status_code for _ in range(4)] == [200] * 3 + [429]
    assert clock.now == 1000.0


def test_a_request_over_the_rate_writes_nothing_also_for_git(limited: Limited, clock: Clock):
    client = limited(rate_limit=1)
    assert client.post(TARGETS, target()).status_code == 429
    refs = client.app.test_client().get(
        "/git/admin/demo.git/info/refs?service=git-upload-pack", auth=("admin", MASTER_KEY)
    )
    assert refs.status_code == 429
    assert client.get("/v1/health").status_code == 200
    clock.now += 60
    assert client.get(TARGETS).json == {"targets": []}


def test_counts_from_before_a_reboot_are_forgotten(limited: Limited, clock: Clock):
    client = limited(rate_limit=1)
    assert client.get(TARGETS).status_code == 429
    clock.now = 5.0
    assert client.get(TARGETS).status_code == 200


def test_no_request_waits_for_a_process_that_holds_the_counts(limited: Limited, clock: Clock):
    client = limited(rate_limit=1)
    assert client.get(TARGETS).status_code == 429
    with (client.app.extensions["bakehouse"].settings.data_dir / "rates").open() as counts:
        fcntl.flock(counts, fcntl.LOCK_EX)
        assert [client.get(TARGETS).status_code for _ in range(20)] == [200] * 20
    clock.now += 10
    assert [client.get(TARGETS).status_code for _ in range(2)] == [429, 429]


def test_openapi_lists_429_where_rates_are_limited(app: Flask):
    paths = Client(app, None).get("/openapi.json").json["paths"]
    assert "429" in paths["/v1/repo/{repo_name}/targets"]["post"]["responses"]
    assert "429" not in paths["/v1/health"]["get"]["responses"]

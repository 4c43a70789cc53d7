"""What a real server answers to requests that are no good HTTP, over plain sockets."""

import json
import socket
from pathlib import Path

import pytest

from app.errors import CODES
from tests.e2e.conftest import call, new_user
from tests.e2e.views import COMMAND
from tests.server import MASTER_KEY, Server, running

SECRET = "bakehouse_" + "s3cret" * 7
HEAD = "GET /v1/repo HTTP/1.1\r\nHost: x\r\n"
REFUSED = {
    "a header without a colon": (f"{HEAD}Authorization Bearer {SECRET}\r\n\r\n", 400),
    "a header with an empty name": (f"{HEAD}: {SECRET}\r\n\r\n", 400),
    "a header with a space in its name": (f"{HEAD}Authorization : Bearer {SECRET}\r\n\r\n", 400),
    "a header on two lines": (f"{HEAD}Authorization: Bearer\r\n {SECRET}\r\n\r\n", 400),
    "a header with a control character": (f"{HEAD}Authorization: Bearer {SECRET}\x00\r\n\r\n", 400),
    "a header that is there twice": (f"{HEAD}Host: {SECRET}\r\n\r\n", 400),
    "lines without CR": (f"GET /{SECRET} HTTP/1.1\nHost: x\n\n", 400),
    "a method that is none": (f"{SECRET}( / HTTP/1.1\r\n\r\n", 400),
    "a version that is none": (f"GET / {SECRET}/9\r\n\r\n", 400),
    "an address with a space": (f"GET /{SECRET} {SECRET} HTTP/1.1\r\n\r\n", 400),
    "only a word": (f"{SECRET}\r\n\r\n", 400),
    "a length that is none": (f"{HEAD}Content-Length: {SECRET}\r\n\r\n", 400),
    "a length and chunks": (f"{HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "an address that is too long": (f"GET /{SECRET}{'a' * 5000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "an expectation": (f"{HEAD}Expect: {SECRET}\r\n\r\n", 417),
    "a header that is too long": (f"{HEAD}X-Long: {SECRET}{'a' * 12_300}\r\n\r\n", 431),
    "too many headers": (HEAD + f"X-Many: {SECRET}\r\n" * 200 + "\r\n", 431),
    "an unknown transfer coding": (f"{HEAD}Transfer-Encoding: {SECRET}\r\n\r\n", 501),
}


def exchange(server: Server, data: str) -> bytes:
    """Send something, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(data.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def parse(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers with names in lower case, and the body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_http_is_refused_in_the_form_of_the_api(server: Server, what: str):
    data, expected = REFUSED[what]
    status, headers, body = parse(exchange(server, data))
    assert (status, headers["content-type"], headers["connection"]) == (expected, "application/json", "close")
    assert int(headers["content-length"]) == len(body)
    assert headers["x-content-type-options"] == "nosniff"
    answer = json.loads(body)
    assert answer.keys() == {"message", "code"}
    assert answer["code"] == CODES[status]
    assert "s3cret" not in answer["message"]
    log = server.log.read_text()
    assert "s3cret" not in log
    told = [line for line in log.splitlines() if headers["x-request-id"] in line]
    assert any(answer["message"] in line for line in told)
    assert any(f" {status}, {len(body)} bytes" in line for line in told)


def test_an_answer_that_was_sent_is_followed_by_no_other(server: Server):
    """The body of the request is broken, and no view reads it."""
    head = f"{HEAD}Authorization: Bearer {MASTER_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = exchange(server, f"{head}zz\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_client_cannot_say_where_the_application_is_mounted(server: Server):
    user = new_user(server)
    body = '{"repo_name": "second"}'
    for name in ("SCRIPT_NAME", "PATH_INFO"):
        head = (
            f"POST /v1/repo HTTP/1.1\r\nHost: x\r\n{name}: /v1\r\nAuthorization: Bearer {user.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        status, _, answer = parse(exchange(server, head + body))
        assert status in (200, 201)
        assert json.loads(answer)["clone_url"] == f"http://x/git/{user.id}/second.git"


def test_answers_with_a_secret_are_kept_by_no_cache_and_all_say_what_they_are(server: Server):
    user = new_user(server)
    body = '{"name": "second"}'
    for path, status in ((f"/v1/admin/users/{user.id}/tokens", 201), ("/v1/repo", 422), ("/nowhere", 404)):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {MASTER_KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found, headers, _ = parse(exchange(server, head + body))
        assert (found, headers["x-content-type-options"]) == (status, "nosniff")
        assert (headers.get("cache-control") == "no-store") == (status == 201)
    for path in ("/docs", "/docs/docs.js", "/openapi.json", "/v1/health"):
        _, headers, _ = parse(exchange(server, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert headers["x-content-type-options"] == "nosniff"
    assert call(server, MASTER_KEY, "GET", "/v1/repo")


def test_an_answer_that_breaks_off_is_followed_by_no_other(tmp_path: Path):
    with running(tmp_path, COMMAND) as server:
        answer = exchange(server, "GET /fails-later HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert not answer.endswith(b"0\r\n\r\n")


def test_the_longest_reason_goes_through_percent_encoded_or_as_it_is(server: Server):
    user = new_user(server)
    head = f"POST /v1/repo/demo/tags HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {user.token}\r\n"
    for name, sent in (("v1", "UTF-8''" + "%F0%9F%98%80" * 1000), ("v2", ("😀" * 1000).encode().decode("latin-1"))):
        body = json.dumps({"name": name})
        headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-Change-Reason: {sent}\r\n"
        status, _, answer = parse(exchange(server, f"{head}{headers}\r\n{body}"))
        assert (status, json.loads(answer)["reason"]) == (201, "😀" * 1000)

"""The log of a real server: what it says about requests, failures and logins."""

import base64
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.conftest import call, new_user
from tests.e2e.views import COMMAND
from tests.server import MASTER_KEY, Server, running

WRONG = "bakehouse_a-token-that-nobody-has"


def raw(server: Server, head: str) -> tuple[int, dict[str, str], bytes]:
    """Send a request as it is; return the status, the headers in lower case, and the body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    first, _, rest = answer.partition(b"\r\n")
    headers, _, body = rest.partition(b"\r\n\r\n")
    pairs = (line.split(": ", 1) for line in headers.decode().split("\r\n"))
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body


def ask(server: Server, query: str, **headers: str) -> tuple[int, Any]:
    """Return the status and headers of an answer to `GET /v1/repo`."""
    request = urllib.request.Request(f"{server.url}/v1/repo{query}", headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def whole_log(server: Server) -> str:
    """Stop the server, and return its log: the line about a request follows its answer."""
    server.process.terminate()
    server.process.wait()
    return server.log.read_text()


def lines_of(log: str, request_id: str) -> list[str]:
    return [line for line in log.splitlines() if f" request_id={request_id}" in line]


def test_the_log_says_why_a_request_failed_under_its_id(tmp_path: Path):
    with running(tmp_path, COMMAND) as server:
        status, headers, body = raw(server, "GET /fails HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status == 500
        request_id = headers["x-request-id"]
        assert request_id in json.loads(body)["message"]
        raw(server, "GET /fails-later HTTP/1.1\r\nHost: x\r\nX-Request-Id: later-1\r\n\r\n")
        log = whole_log(server)
    told = lines_of(log, request_id)
    assert any(line.endswith("RuntimeError: the cause") for line in told)
    assert "of the failure\\x1b[2J" in "".join(told)
    assert told[-1].count("GET /fails 500") == 1
    assert "RuntimeError: the later cause" in "".join(lines_of(log, "later-1"))
    for line in log.splitlines():
        assert line.startswith("20"), line
        assert " [INFO] " in line or " [ERROR] " in line


def test_each_request_has_one_line_as_text_and_as_json(tmp_path: Path):
    for log_format in ("text", "json"):
        with running(tmp_path / log_format, log_format=log_format) as server:
            user = new_user(server)
            url = f"{server.url}/v1/repo/demo/targets?ref=main&user_id={user.id}"
            headers = {"Authorization": f"Bearer {user.token}", "X-Request-Id": "list-1"}
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
                size = len(response.read())
            wrong, _ = ask(server, "?%0d%0a=x", Authorization=f"Bearer {user.token}")
            assert wrong == 422
            log = whole_log(server)
        assert "GET /v1/repo?%0D%0A 422" in log
        (line,) = [line for line in log.splitlines() if "list-1" in line]
        path = "/v1/repo/demo/targets?ref&user_id"
        if log_format == "text":
            assert f" app.access request_id=list-1 user={user.id} repo={user.id}/demo: GET {path} 200, {size} " in line
            assert line.endswith(" s, token initial, from 127.0.0.1")
            continue
        told = json.loads(line)
        assert told.pop("time") < "2999"
        assert told.pop("seconds") > 0
        assert told.pop("process") > 0
        assert told.pop("message").startswith(f"GET {path} 200, {size} bytes")
        assert told == {
            **{"level": "INFO", "logger": "app.access", "request_id": "list-1"},
            **{"user": user.id, "repo": f"{user.id}/demo", "token": "initial"},
            **{"method": "GET", "path": path, "status": 200, "bytes": size, "address": "127.0.0.1"},
        }


def test_the_access_log_can_be_off(tmp_path: Path):
    with running(tmp_path, access_log="off") as server:
        call(server, MASTER_KEY, "GET", "/v1/repo")
        assert "app.access" not in whole_log(server)


def test_failed_logins_are_logged_and_slowed(tmp_path: Path):
    with running(tmp_path, workers="1") as server:
        user = new_user(server)
        wrong = {"Authorization": f"Bearer {WRONG}", "X-User-Id": user.id}
        master = {"Authorization": f"Bearer {MASTER_KEY}"}
        assert ask(server, "", **wrong)[0] == 401
        for _ in range(300):  # until there were more than the passing time pays off
            status, headers = ask(server, "", **wrong)
            if status == 429 and ask(server, "", **master)[0] == 429:
                break
        assert status == 429
        assert 1 <= int(headers["Retry-After"]) <= 3
        assert user.call("GET", "/v1/repo") == {"repos": ["demo"]}
        away = {"X-Forwarded-For": "192.0.2.1, 192.0.2.7"}
        assert ask(server, "", **master, **away)[0] == 200
        assert ask(server, "", Authorization="Bearer nonsense", **away)[0] == 401
        told = whole_log(server)
    failures = [line for line in told.splitlines() if "Failed login" in line]
    assert len(failures) >= 30
    assert f"Failed login from 127.0.0.1 as '{user.id}': This token is unknown" in failures[0]
    assert "Failed login from 192.0.2.7: " in failures[-1]
    assert "nonsense" not in told


def test_a_token_as_user_name_and_password_is_in_no_answer_and_no_log(tmp_path: Path):
    with running(tmp_path) as server:
        user = new_user(server)
        for secret in (user.token, WRONG, MASTER_KEY):
            for name in (secret, "alice"):
                basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
                path = f"/git/{user.id}/demo.git/info/refs?service=git-upload-pack"
                _, headers, body = raw(
                    server, f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n\r\n"
                )
                assert secret.encode() not in body
                assert secret not in str(headers)
        told = whole_log(server)
    assert not [secret for secret in (user.token, WRONG, MASTER_KEY) if secret in told]

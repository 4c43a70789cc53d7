"""The server and its commands as an operator uses them: start, stop, settings, users and tokens."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import User, call, needs_curl, new_user
from tests.payloads import target
from tests.server import MASTER_KEY, Server, environment, running

ALL_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
needs_two_cores = pytest.mark.skipif(len(ALL_CORES) < 2, reason="needs Linux and two cores")

GUNICORN = [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", "--no-control-socket", "wsgi:app"]


def bakehouse(data_dir: Path, *arguments: str | bytes, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


@needs_curl
def test_first_start_prints_a_line_that_creates_a_target(tmp_path: Path):
    with running(tmp_path, master_key="") as server:
        told = server.log.read_text()
        (line,) = re.findall(r"^curl .*$", told, re.MULTILINE)
        assert f"{server.url}/v1/repo" in line
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
        assert '"target_name":"first"' in done.stdout, done.stderr
        key = (tmp_path / "master.key").read_text().strip()
        assert key not in told
    with running(tmp_path, master_key="") as server:
        assert "curl" not in server.log.read_text()
        assert call(server, key, "GET", "/v1/repo/demo/targets") == {"targets": ["first"]}


def test_gunicorn_serves_the_same_application(tmp_path: Path):
    with running(tmp_path, GUNICORN) as server:
        call(server, MASTER_KEY, "POST", "/v1/repo", {"repo_name": "demo"})
        assert call(server, MASTER_KEY, "GET", "/v1/repo") == {"repos": ["demo"]}


@pytest.mark.parametrize("command", [[sys.executable, "-m", "app.cli", "serve"], GUNICORN])
def test_server_does_not_start_with_a_wrong_setting(tmp_path: Path, command: list[str]):
    done = subprocess.run(
        command, env=environment(tmp_path, max_body="much"), capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "BAKEHOUSE_MAX_BODY must be a whole number from 1024 to 1073741824, not 'much'." in done.stderr


@needs_two_cores
def test_each_worker_stays_on_its_share_of_the_cores(tmp_path: Path):
    def shares() -> list[list[int]]:
        """Return the cores of each of two workers; one that was just started may not have chosen yet."""
        while True:
            with suppress(ProcessLookupError):
                found = [sorted(os.sched_getaffinity(pid)) for pid in server.workers()]
                if len(found) == 2 and ALL_CORES not in found:
                    return sorted(found)
            time.sleep(0.01)

    with running(tmp_path) as server:
        first, second = shares()
        assert sorted(first + second) == ALL_CORES
        killed = server.workers()[0]
        os.kill(killed, signal.SIGKILL)
        while killed in server.workers():
            time.sleep(0.01)
        assert shares() == [first, second]
        assert sorted(os.sched_getaffinity(server.process.pid)) == ALL_CORES


COMMANDS = (("users", "create", "alice"), ("users", "list"), ("maintain",), ("verify",), ("verify", "--repo", "a/b"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("other", ["there is none", "another folder"])
def test_a_command_without_a_data_directory_makes_nothing_and_says_where_it_looked(
    tmp_path: Path, command: tuple[str, ...], other: str
):
    if other == "another folder":
        (tmp_path / "instance").mkdir()
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *command],
        cwd=tmp_path,
        env=environment(Path()) | {"BAKEHOUSE_DATA_DIR": "", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert f"There is no data directory {tmp_path}/instance with" in done.stderr
    assert "BAKEHOUSE_DATA_DIR" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_the_server_prints_where_its_data_is(tmp_path: Path):
    with running(Path(os.path.relpath(tmp_path))) as server:
        assert str(tmp_path) in server.log.read_text().splitlines()[0]


ASCII = (
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C"},
)


@pytest.mark.parametrize("terminal", ASCII)
def test_commands_work_where_the_terminal_is_not_utf_8(tmp_path: Path, terminal: dict[str, str]):
    data_dir = tmp_path / "Zoë"

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "app.cli", *arguments]
        settings = environment(data_dir, host="nonsense.invalid") | terminal | more
        done = subprocess.run(command, env=settings, capture_output=True, timeout=60)
        assert b"Traceback" not in done.stderr
        return done

    with running(data_dir) as server:
        assert run("users", "create", "zoe", "--alias", "Zoë →").returncode == 0
        call(server, MASTER_KEY, "POST", "/v1/repo", {"repo_name": "demo"})
    for command in (["users", "list"], ["verify"], ["maintain", "--all"]):
        assert run(*command).returncode == 0
    assert run("serve").returncode == 1
    assert run("users", "list", PYTHONIOENCODING="utf-8").stdout.decode() == "zoe\tZoë →\t-\t1\n"


@pytest.mark.slow
def test_users_command_creates_lists_and_revokes(tmp_path: Path):
    with running(tmp_path) as server:
        token = bakehouse(tmp_path, "users", "create", "alice", "--alias", "Alice").stdout.strip()
        assert call(server, token, "GET", "/v1/repo") == {"repos": []}
        assert bakehouse(tmp_path, "users", "list").stdout == "alice\tAlice\t-\t1\n"
        twin = bakehouse(
            tmp_path, "users", "create", "alice.2", "--alias", "Alice", "--email", "alice@bakehouse.invalid"
        )
        assert (twin.returncode, twin.stdout.count("\n"), "'alice.2' and 'alice'" in twin.stderr) == (0, 1, True)
        again = bakehouse(tmp_path, "users", "create", "alice")
        assert (again.returncode, again.stdout) == (1, "")
        assert again.stderr.startswith("Error: User 'alice' already exists. If the token was lost, rotate it: ")
        assert bakehouse(tmp_path, "users", "revoke", "alice").stdout == "Revoked 1 token of alice.\n"
        for _ in range(8):  # whichever worker answers
            with pytest.raises(urllib.error.HTTPError) as caught:
                call(server, token, "GET", "/v1/repo")
            assert caught.value.code == 401
            caught.value.close()
        assert bakehouse(tmp_path, "users", "revoke", "bob").returncode == 1
        assert "letter or digit" in bakehouse(tmp_path, "users", "create", "../x").stderr
        for arguments in (("revoke", b"\xff"), ("create", "carol", "--alias", b"\xff")):
            refused = bakehouse(tmp_path, "users", *arguments)
            assert refused.returncode == 2
            assert "it is not UTF-8" in refused.stderr
        bakehouse(tmp_path, "users", "create", "carol", "--alias", "C\n\x1b[2J")
        assert "carol\tC\ufffd\ufffd[2J\t-\t1\n" in bakehouse(tmp_path, "users", "list").stdout


@pytest.mark.slow
def test_tokens_command_creates_lists_and_revokes(tmp_path: Path):
    with running(tmp_path):  # the commands below run without a server, too
        bakehouse(tmp_path, "users", "create", "alice")
    tokens = ("users", "tokens")
    limits = ("--read-only", "--repo", "demo", "--repo", "bob/x", "--expires", "2999-01-31T12:00:00Z")
    token = bakehouse(tmp_path, *tokens, "create", "alice", "ci", *limits).stdout.strip()
    assert token.startswith("bakehouse_")
    listed = bakehouse(tmp_path, *tokens, "list", "alice").stdout
    first, second = (line.split("\t") for line in listed.splitlines())
    assert (first[:3], first[4]) == (["initial", "write", "all repos"], "never")
    assert (second[:3], second[4]) == (["ci", "read", "demo,bob/x"], "2999-01-31T12:00:00+00:00")
    assert token not in listed
    with running(tmp_path) as server:
        assert call(server, token, "GET", "/v1/repo") == {"repos": []}
        old, token = token, bakehouse(tmp_path, *tokens, "rotate", "alice", "ci").stdout.strip()
        assert call(server, token, "GET", "/v1/repo") == {"repos": []}
        with pytest.raises(urllib.error.HTTPError, match="401") as caught:
            call(server, old, "GET", "/v1/repo")
        caught.value.close()
        done = bakehouse(tmp_path, *tokens, "revoke", "alice", "ci")
        assert done.stdout == "Revoked token ci of alice.\n"
        with pytest.raises(urllib.error.HTTPError, match="401") as caught:
            call(server, token, "GET", "/v1/repo")
        caught.value.close()
    for arguments, error in (
        (("create", "alice", "initial"), "Error: User 'alice' already has a token 'initial'. If the token was lost"),
        (("rotate", "alice", "nope"), "Error: Token 'nope' not found\n"),
        (("create", "nobody", "x"), "Error: User 'nobody' not found\n"),
        (("create", "alice", "x", "--expires", "soon"), "Error: expires_at: This must be a time with"),
        (("create", "alice", "x", "--repo", "/"), "Error: repos.0: This name must start"),
        (("revoke", "alice", "ci"), "Error: Token 'ci' not found\n"),
        (("list", "nobody"), "Error: User 'nobody' not found\n"),
    ):
        refused = bakehouse(tmp_path, *tokens, *arguments)
        assert refused.returncode == 1
        assert refused.stderr.startswith(error)


@pytest.mark.parametrize("what", ["grant", "token"])
def test_a_right_revoked_during_a_slow_body_is_refused(server: Server, user: User, what: str):
    guest = new_user(server)
    user.call("PUT", f"/v1/repo/demo/grants/{guest.id}", {"access": "write"})
    body = json.dumps(target("late")).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            f"POST /v1/repo/demo/targets?user_id={user.id} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {guest.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body[:5]
        )
        time.sleep(0.5)  # so that the server has begun to wait for the rest
        if what == "grant":
            user.call("DELETE", f"/v1/repo/demo/grants/{guest.id}")
        else:
            call(server, MASTER_KEY, "DELETE", f"/v1/admin/users/{guest.id}/tokens/initial")
        connection.sendall(body[5:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 403" if what == "grant" else b"HTTP/1.1 401")
    assert user.call("GET", "/v1/repo/demo/targets") == {"targets": []}


def send_raw(server: Server, data: bytes) -> bytes:
    """Send some bytes, and return the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def test_malformed_requests_are_no_500(server: Server):
    """gunicorn itself refuses these, without a 500, and the server goes on."""
    for data in (b"\x00\r\n\r\n", b"GET /v1/\x00 HTTP/1.1\r\n\r\n", b"POST /v1/repo HTTP/1.1\r\nHost: x\r\n"):
        assert b" 500 " not in send_raw(server, data)
    assert call(server, MASTER_KEY, "GET", "/v1/repo")


BODY = b'{"repo_name": "never-made"}'
BODIES = {
    "broken off": (b"Content-Length: 100", BODY, b"400"),
    "no chunks": (b"Transfer-Encoding: chunked", b"zz\r\n" + BODY, b"400"),
    "chunks of a negative size": (b"Transfer-Encoding: chunked", b"-1\r\n" + BODY, b"400"),
    "chunks that end too soon": (b"Transfer-Encoding: chunked", b"1b\r\n" + BODY, b"400"),
    "chunks over the limit": (
        b"Transfer-Encoding: chunked",
        b"1b\r\n" + BODY + b"\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 130 + b"0\r\n\r\n",
        b"413",
    ),
}


@pytest.mark.parametrize("what", BODIES)
def test_bodies_that_contradict_their_headers_are_refused(server: Server, what: str):
    header, body, status = BODIES[what]
    head = b"POST /v1/repo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    head += b"Authorization: Bearer " + MASTER_KEY.encode() + b"\r\n" + header + b"\r\n\r\n"
    try:
        assert send_raw(server, head + body).split()[1] == status
    except (ConnectionResetError, BrokenPipeError):
        assert status == b"413"  # answered and closed while we still sent
    assert "never-made" not in call(server, MASTER_KEY, "GET", "/v1/repo")["repos"]


def test_server_does_not_start_on_a_taken_address_or_unusable_folder(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for settings in ({"port": port}, {"host": "nonsense.invalid"}):
            done = bakehouse(tmp_path / "data", "serve", **settings)
            assert done.returncode == 1
            assert done.stderr.startswith("Error: BAKEHOUSE_HOST and BAKEHOUSE_PORT: cannot listen on")
    done = bakehouse(tmp_path / "file", "serve")
    assert done.stderr == f"Error: The data directory {tmp_path}/file cannot be used: Not a directory.\n"


def test_clone_of_a_damaged_repo_is_answered_503(tmp_path: Path):
    with running(tmp_path) as server:
        call(server, MASTER_KEY, "POST", "/v1/repo", {"repo_name": "demo"})
        (tmp_path / "repos/admin/demo.git/refs/heads/main").write_text("junk")
        url = f"http://admin:{MASTER_KEY}@127.0.0.1:{server.port}/git/admin/demo.git"
        done = subprocess.run(["git", "clone", url, str(tmp_path / "clone")], capture_output=True, text=True)
        assert "Repository 'demo' is damaged" in done.stderr
        assert "503" in done.stderr

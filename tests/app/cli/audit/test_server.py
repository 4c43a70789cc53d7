"""The way to a server: the address, the token, the repo, and servers that are none of ours."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.app.cli.audit.asking import ask, assert_fails
from tests.storage.repositories import git

TOKEN = "bakehouse_the-token-of-these-tests"
EMPTY: dict[str, Any] = {"commits": [], "next": None}

Answer = tuple[int, dict[str, str], bytes]


class Foreign:
    """A server that answers requests with `answers`, and all further ones with `answer`, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer: Answer = (200, {}, json.dumps(EMPTY).encode())
        self.answers: list[Answer] = []
        self.sent: list[tuple[str, str, dict[str, str]]] = []
        foreign = self

        class Handler(BaseHTTPRequestHandler):
            """Answers every request alike."""

            def do_GET(self) -> None:
                foreign.sent.append(
                    (self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
                )
                status, headers, body = foreign.answers.pop(0) if foreign.answers else foreign.answer
                self.send_response(status)
                for name, value in (
                    {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers
                ).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def do_PUT(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def start() -> Iterator[Callable[[], Foreign]]:
    started: list[Foreign] = []

    def make() -> Foreign:
        started.append(Foreign())
        return started[-1]

    yield make
    for foreign in started:
        foreign.close()


@pytest.fixture
def foreign(start: Callable[[], Foreign]) -> Foreign:
    return start()


def test_a_request_names_the_caller_the_repo_and_its_owner(foreign: Foreign):
    assert ask("log", "--repo", "bob/demo", "--path", "targets/ä b", url=foreign.url, token=TOKEN).exit_code == 0
    [(method, path, headers)] = foreign.sent
    address = urlsplit(path)
    assert (method, address.path) == ("GET", "/v1/repo/demo/log")
    assert parse_qs(address.query) == {"path": ["targets/ä b"], "limit": ["20"]}
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-user-id"] == "bob"
    assert ask("log", url=f"{foreign.url}/below/", token=TOKEN, repo="mine").exit_code == 0
    assert foreign.sent[-1][1] == "/below/v1/repo/mine/log?limit=20"
    assert "x-user-id" not in foreign.sent[-1][2]


def test_a_reason_is_sent_with_a_write(foreign: Foreign):
    foreign.answer = (
        200,
        {"Git-Commit": "a" * 40},
        b'{"target_name": "t", "config": {}, "warnings": ["x\\u001b[31m"]}',
    )
    said = ask("revert", "t", "--to", "v1", "--reason", "Zurück, 100 %", "-r", "demo", url=foreign.url, token=TOKEN)
    assert (said.exit_code, said.stdout) == (0, f"t\t{'a' * 40}\n")
    assert said.stderr == "Warning: x\\x1b[31m\n"
    method, path, headers = foreign.sent[-1]
    assert (method, path) == ("POST", "/v1/repo/demo/targets/t/revert")
    assert headers["x-change-reason"] == "UTF-8''Zur%C3%BCck%2C%20100%20%25"


def test_a_server_that_asks_to_wait_is_asked_again(foreign: Foreign):
    foreign.answers = [(429, {"Retry-After": "1"}, b'{"message": "Slowly.", "code": "RATE_LIMITED"}')]
    said = ask("log", "--json", "-r", "demo", url=foreign.url, token=TOKEN)
    assert (said.exit_code, json.loads(said.stdout), len(foreign.sent)) == (0, EMPTY, 2)
    for seconds in ("100000", "-1", "Fri, 27 Nov 2026 15:00:00 GMT", "1e3"):
        foreign.answers = [(429, {"Retry-After": seconds}, b'{"message": "Slowly.", "code": "RATE_LIMITED"}')]
        assert_fails(ask("log", "-r", "demo", url=foreign.url, token=TOKEN), 1, "Slowly.", "Try again later")


def found(commit: str, day: int) -> dict[str, Any]:
    """Return a commit in a log, without what it changed."""
    author = {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": None}
    told = {"author": author, "subject": "Change", "reason": None, "files": []}
    return {"commit": commit * 40, "time": f"2026-11-{day:02}T10:00:00Z", **told}


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_a_terminal_is_told_how_far_a_search_has_looked(foreign: Foreign, how: tuple[str, ...]):
    pages = [
        {"commits": [], "next": "a" * 40},
        {"commits": [found("a", 3)], "next": None},
        {"commits": [], "next": "b" * 40},
        {"commits": [found("b", 2)], "next": None},
        EMPTY,
    ]
    command = ("log", "--field", "temperature", "-r", "demo", *how)
    foreign.answers = [(200, {}, json.dumps(page).encode()) for page in pages]
    said = ask(*command, url=foreign.url, token=TOKEN, FORCE_COLOR="1", NO_COLOR="1")
    assert said.exit_code == 0, said.output
    shown = [line for line in said.stderr.split("\r\x1b[K") if line]
    assert shown == [f"Looked at commits down to 2026-11-0{day} 10:00 …" for day in (3, 2)]
    assert said.stderr.endswith("\r\x1b[K")
    assert "Looked" not in said.stdout
    queries = [parse_qs(urlsplit(path).query) for _, path, _ in foreign.sent]
    assert queries[1] == {"ref": ["a" * 40], "limit": ["1"]}
    foreign.answers = [(200, {}, json.dumps(pages[1]).encode())]
    assert ask(*command, url=foreign.url, token=TOKEN, FORCE_COLOR="1").stderr == ""
    foreign.sent.clear()
    foreign.answers = [(200, {}, json.dumps(page).encode()) for page in pages[::2]]
    said = ask(*command, url=foreign.url, token=TOKEN)
    assert (said.exit_code, said.stderr, len(foreign.sent)) == (0, "", 3)


def test_a_name_stays_one_part_of_the_path(foreign: Foreign):
    assert ask("history", "../x/y?z", "-r", "demo", url=foreign.url, token=TOKEN).exit_code == 0
    assert foreign.sent[-1][1] == "/v1/repo/demo/targets/..%2Fx%2Fy%3Fz/history?limit=20"


def test_a_token_goes_to_no_other_server(foreign: Foreign, start: Callable[[], Foreign]):
    other = start()
    foreign.answer = (308, {"Location": f"{other.url}/v1/repo/demo/log?x=1"}, b"{}")
    said = ask("log", "-r", "demo", url=foreign.url, token=TOKEN)
    assert_fails(said, 3, "sends this request on to", other.url, "where nothing is sent")
    assert other.sent == []


def test_a_repo_with_another_name_is_found_and_a_circle_is_left(foreign: Foreign):
    foreign.answer = (301, {"Location": "/v1/repo/renamed/log"}, b"{}")
    assert_fails(ask("log", "-r", "demo", url=foreign.url, token=TOKEN), 3, "in a circle")
    assert [path for _, path, _ in foreign.sent][1] == "/v1/repo/renamed/log"
    assert foreign.sent[-1][2]["authorization"] == f"Bearer {TOKEN}"
    foreign.sent.clear()
    assert_fails(
        ask("revert", "t", "--to", "v1", "-r", "demo", url=foreign.url, token=TOKEN), 3, "where nothing is sent"
    )
    assert len(foreign.sent) == 1


@pytest.mark.parametrize(
    ("status", "body", "code", "mention"),
    [
        (404, b'{"message": "No such target: x\\u001b[2J", "code": "X"}', 1, r"Error: No such target: x\x1b[2J"),
        (401, b'{"message": "This token is unknown.", "code": "UNAUTHORIZED"}', 1, "Set BAKEHOUSE_TOKEN to a"),
        (429, b'{"message": "Slowly.", "code": "TOO_MANY"}', 1, "Try again later"),
        (422, b'{"detail": [{"loc": ["query", "since"], "msg": "No time", "type": "x"}]}', 1, "since: No time"),
        (503, b'{"message": "Repo demo is damaged", "code": "X"}', 3, "Repo demo is damaged"),
        (200, b"<html>hello</html>", 3, "not as Bakehouse does"),
        (200, b"[1]", 3, "not as Bakehouse does"),
        (200, b"[" * 100_000, 3, "not as Bakehouse does"),
        (404, b"<html>no such page</html>", 3, "status 404"),
        (404, b'{"error": "x"}', 3, "not as Bakehouse does"),
        (404, b'"x"', 3, "not as Bakehouse does"),
        (600, b"{}", 3, "not as Bakehouse does"),
    ],
)  # fmt: skip
def test_each_failure_is_said_and_has_its_exit_code(
    foreign: Foreign, status: int, body: bytes, code: int, mention: str
):
    foreign.answer = (status, {}, body)
    said = ask("log", "-r", "demo", url=foreign.url, token=TOKEN)
    assert_fails(said, code, mention)
    assert TOKEN not in said.output


@pytest.mark.parametrize("command", ["explain t", "log", "diff a", "labels", "labels move a b", "uses t", "targets -l"])
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {}),
        (200, {"commits": [{"x": 1}], "files": [{}], "labels": [1], "layers": [], "targets": 5, "next": None}),
        (200, dict.fromkeys(("commits", "files", "fields", "labels", "layers", "removed", "targets", "used_by"), 3)),
        (404, {"message": 5}),
        (422, {"detail": [{"loc": [], "msg": "m"}]}),
        (404, {"detail": [{"loc": 5}]}),
        (404, {"detail": 5}),
    ],
)
def test_json_of_another_program_is_no_answer(foreign: Foreign, command: str, status: int, answer: dict[str, Any]):
    foreign.answer = (status, {}, json.dumps(answer).encode())
    said = ask(*command.split(), "-r", "demo", url=foreign.url, token=TOKEN)
    assert_fails(said, 3, f"{foreign.url} answers with status {status}, and not as Bakehouse does", "BAKEHOUSE_URL")


def test_a_link_that_is_no_address_is_no_answer(foreign: Foreign):
    foreign.answer = (200, {"Link": '<http://h:port/>; rel="next"'}, b"a\r\n")
    said = ask("targets", "--csv", "-r", "demo", url=foreign.url, token=TOKEN)
    assert_fails(said, 3, "not as Bakehouse does")


@pytest.mark.parametrize("command", [["history", "a" * 100_000], ["log", "--reason", "x" * 100_000]])
def test_an_argument_that_no_address_can_hold_is_refused(foreign: Foreign, command: list[str]):
    assert_fails(
        ask(*command, "-r", "demo", url=foreign.url, token=TOKEN), 2, "An argument cannot be sent: ", "too long"
    )
    assert foreign.sent == []


def test_an_answer_that_breaks_off_is_no_answer(foreign: Foreign):
    foreign.answer = (200, {"Content-Length": "1000"}, b"{}")
    assert_fails(ask("log", "-r", "demo", url=foreign.url, token=TOKEN), 3, f"{foreign.url}")
    foreign.answer = (200, {"Content-Encoding": "gzip"}, b"{}")
    assert_fails(ask("log", "-r", "demo", url=foreign.url, token=TOKEN), 3, "cannot be read")


def test_where_nobody_listens_there_is_no_server(foreign: Foreign):
    url = foreign.url
    foreign.close()
    assert_fails(ask("log", "-r", "demo", url=url, token=TOKEN), 3, f"There is no server at {url}")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://h", f"http://alice:{TOKEN}@h", "http://h:x", "http://", "http://h?x=1"]
)
def test_an_address_that_cannot_be_used_is_refused(url: str):
    said = ask("log", "-r", "demo", url=url, token=TOKEN)
    assert_fails(said, 2, "BAKEHOUSE_URL must be the address of a server")
    assert TOKEN not in said.output


@pytest.mark.parametrize("token", ["", " ", "two words", "ü", "a\nb"])
def test_a_token_that_cannot_be_sent_is_refused(foreign: Foreign, token: str):
    said = ask("log", "-r", "demo", url=foreign.url, token=token)
    assert_fails(said, 2, "Set BAKEHOUSE_TOKEN")
    assert not token.strip() or token not in said.output
    assert foreign.sent == []


def test_a_token_without_encryption_is_warned_of_unless_it_stays_here(foreign: Foreign):
    said = ask("log", "-r", "demo", url="http://bakehouse.invalid", token=TOKEN)
    assert_fails(said, 3, "without encryption. Use https.", "There is no server at http://bakehouse.invalid")
    assert TOKEN not in said.output
    assert ask("log", "-r", "demo", url=foreign.url, token=TOKEN).stderr == ""


@pytest.mark.parametrize("repo", ["a/b/c", "/demo", "de mo", "..", "alice/", "a\x1b[31m"])
def test_a_repo_that_cannot_be_is_refused(foreign: Foreign, repo: str):
    said = ask("log", "-r", repo, url=foreign.url, token=TOKEN)
    assert_fails(said, 2, "names no repo")
    assert "\x1b" not in said.stderr


def test_in_a_clone_its_repo_on_the_same_server_is_meant(
    foreign: Foreign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    git(tmp_path, "init", "--quiet", ".")
    monkeypatch.chdir(tmp_path)
    assert_fails(ask("log", url=foreign.url, token=TOKEN), 2, "Which repo?", "--repo")
    address = foreign.url.replace("http://", "http://alice:secret@")
    git(tmp_path, "remote", "add", "origin", f"{address}/git/bob/his.repo.git")
    assert ask("log", url=f"{foreign.url}/", token=TOKEN).exit_code == 0
    assert foreign.sent[-1][1] == "/v1/repo/his.repo/log?limit=20"
    assert foreign.sent[-1][2]["x-user-id"] == "bob"
    git(tmp_path, "remote", "set-url", "origin", "https://elsewhere.example/git/bob/his.repo.git")
    assert_fails(ask("log", url=foreign.url, token=TOKEN), 2, "Which repo?")
    assert len(foreign.sent) == 1

"""The lines of the log: what each of them says, and what none of them holds."""

import json
import logging
import sys
from pathlib import Path

import pytest

from app import logs
from app.logs import Formatter
from app.settings import Settings
from app.wire import logged_request
from app.wire.logged_request import LoggedRequest

KEY = "the master/key"
TOKEN = "bakehouse_" + "x" * 43


@pytest.fixture(params=["text", "json"])
def formatter(request: pytest.FixtureRequest) -> Formatter:
    return Formatter(request.param == "json", KEY)


def record(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    return logging.LogRecord("app.x", logging.ERROR, "", 1, message, arguments, sys.exc_info() if failed else None)


def test_a_line_names_time_level_logger_process_and_request():
    known = logged_request.current.set(LoggedRequest("id-1", "alice", "initial", "alice/demo"))
    try:
        (line,) = Formatter(False, KEY).format(record("It %s", "failed")).splitlines()
        told = json.loads(Formatter(True, KEY).format(record("It %s", "failed")))
    finally:
        logged_request.current.reset(known)
    time, process, level, rest = line.split(" ", 3)
    assert time.endswith("+00:00")
    assert (process, level) == (f"[{told['process']}]", "[ERROR]")
    assert rest == "app.x request_id=id-1 user=alice repo=alice/demo: It failed"
    assert told.pop("time").endswith("+00:00")
    assert told.pop("process") > 0
    about = {"request_id": "id-1", "user": "alice", "repo": "alice/demo"}
    assert told == {"level": "ERROR", "logger": "app.x", **about, "message": "It failed"}


def test_a_line_outside_of_a_request_names_none():
    logged_request.current.set(None)
    assert " app.x: It failed" in Formatter(False, KEY).format(record("It failed"))
    assert "request_id" not in Formatter(True, KEY).format(record("It failed"))


def test_a_client_can_make_no_line_of_its_own(formatter: Formatter):
    evil = "a\n2026-11-27T00:00:00+00:00 [1] [ERROR] app: forged\r\x1b[2J\u2028\x85\ud800"
    lines = formatter.format(record("The name '%s' is wrong", evil)).splitlines()
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("2026-11-27T00:00:00") for line in lines)


def test_each_line_of_a_stack_trace_names_the_request():
    known = logged_request.current.set(LoggedRequest("id-1"))
    try:
        raise RuntimeError("why")
    except RuntimeError:
        lines = Formatter(False, KEY).format(record("It failed", failed=True)).splitlines()
        (told,) = Formatter(True, KEY).format(record("It failed", failed=True)).splitlines()
    finally:
        logged_request.current.reset(known)
    assert len(lines) > 3
    assert all(" app.x request_id=id-1: " in line for line in lines)
    assert lines[-1].endswith("RuntimeError: why")
    assert "RuntimeError: why" in json.loads(told)["message"]


@pytest.mark.parametrize("secret", [TOKEN, KEY, "the%20master/key"])
def test_no_line_holds_a_secret(formatter: Formatter, secret: str):
    text = formatter.format(record("GET /v1/%s failed", secret))
    assert secret not in text
    assert "GET /v1/(secret) failed" in text


def test_a_short_master_key_spoils_no_line():
    assert "a" in Formatter(False, "a").format(record("a message"))


def test_requests_to_models_have_no_lines_of_their_own(tmp_path: Path):
    """There are thousands, and libraries would write the headers of answers, too."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure(Settings(tmp_path), "key")
        for name in ("httpx2", "httpcore2.http11"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        assert logging.getLogger("app.runs").isEnabledFor(logging.INFO)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

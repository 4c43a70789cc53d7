"""`bakehouse runs` where the server is gone, cuts its answer or sends other rows, and where the disk is full."""

import errno
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.cli.runs import following
from tests.faulty_proxy import FaultyProxy, Seen
from tests.replies import HANG_UP, Reply

ROWS = b'{"stimulus_id":0}\n{"stimulus_id":1}\n'
HEADERS = (("Content-Type", "application/x-ndjson"), ("Run-Key", "k"), ("Run-Status", "complete"))


def status(state: str, lines: int = 2, **fields: Any) -> Reply:
    """Return the status of a rollout of two rows."""
    counts = dict.fromkeys(("failed_rows", "retries", "truncated", "empty"), 0)
    known = {"key": "k", "stale": False, "warnings": [], "error": None, "rows_sha256": sha256(ROWS).hexdigest()}
    progress = {"status": state, "lines": lines, "total_expected": 2, "progress_percent": 50 * lines}
    return Reply.of({**counts, **known, **progress, **fields})


@pytest.fixture
def server() -> Iterator[FaultyProxy]:
    """A server that answers as it is told, and by itself with nothing."""
    with FaultyProxy(rule=lambda _: Reply(404, b"{}")) as server:
        yield server


def bakehouse(server: FaultyProxy, *arguments: str) -> Result:
    url = server.url.removesuffix("/v1")
    env = {"BAKEHOUSE_URL": url, "BAKEHOUSE_TOKEN": "secret", "BAKEHOUSE_REPO": "demo"}
    return CliRunner().invoke(main, ["runs", *arguments], env=env)


def rows(server: FaultyProxy, reply: Reply, **fields: Any) -> None:
    """Answer questions for the status, and for the rows with a reply."""

    def rule(seen: Seen) -> Reply:
        return reply if "/rows" in seen.path else status("complete", **fields)

    server.rule = rule


def test_a_server_that_is_gone_for_a_while_is_waited_for(server: FaultyProxy):
    server.replies(status("running", 1), HANG_UP, HANG_UP, status("running", 1), status("complete"))
    done = bakehouse(server, "watch", "bread", "--kind", "rollout")
    assert done.exit_code == 0, done.output
    assert [line.split("\t")[2:5] for line in done.stdout.splitlines()] == [
        ["running", "1", "2"],
        ["complete", "2", "2"],
    ]
    assert len(server.seen) == 5


def test_a_server_that_stays_away_is_told(server: FaultyProxy, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "_PATIENCE", 0.0)
    server.replies(status("running", 1), *[HANG_UP] * 5)
    done = bakehouse(server, "watch", "bread", "--kind", "rollout")
    assert done.exit_code == 3
    assert "There is no server at http://127.0.0.1" in done.stderr


def test_the_rows_are_written_where_they_are_those_of_the_manifest(server: FaultyProxy, tmp_path: Path):
    rows(server, Reply(200, ROWS, HEADERS))
    done = bakehouse(server, "export", "bread", str(tmp_path / "rows"))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "rows").read_bytes() == ROWS
    assert (tmp_path / "rows").stat().st_mode & 0o777 == 0o666 & ~os.umask(os.umask(0o022))


@pytest.mark.parametrize(
    ("reply", "code", "problem"),
    [
        (Reply(200, ROWS, HEADERS, cut=True), 3, "was cut"),
        (Reply(200, ROWS[:18], HEADERS), 3, "What came is not the rows of the run: their SHA-256 is another one."),
        (HANG_UP, 3, "There is no server"),
        (Reply.of({"message": "No such run.", "code": "RESOURCE_NOT_FOUND"}, 404), 1, "No such run."),
        (Reply.of({"message": "The disk is full.", "code": "STORAGE_UNAVAILABLE"}, 503), 3, "The disk is full."),
        (Reply(200, ROWS), 3, "not as Bakehouse does"),
    ],
)
def test_where_the_rows_do_not_come_whole_the_file_stays_as_it_was(
    server: FaultyProxy, tmp_path: Path, reply: Reply, code: int, problem: str
):
    file = tmp_path / "rows"
    file.write_text("before")
    rows(server, reply)
    done = bakehouse(server, "export", "bread", str(file))
    assert done.exit_code == code, done.output
    assert problem in done.stderr
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_where_the_disk_is_full_the_file_stays_as_it_was(
    server: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "rows"
    file.write_text("before")
    rows(server, Reply(200, ROWS, HEADERS))
    monkeypatch.setattr(os, "fsync", full)
    done = bakehouse(server, "export", "bread", str(file))
    assert done.exit_code == 1
    assert f"{file} cannot be written: No space left on device." in done.stderr
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_rows_of_a_run_that_goes_on_are_written_with_a_warning(server: FaultyProxy, tmp_path: Path):
    headers = (*HEADERS[:2], ("Run-Status", "running"))
    rows(server, Reply(200, ROWS[:18], headers), rows_sha256=None)
    done = bakehouse(server, "export", "bread", str(tmp_path / "rows"))
    assert done.exit_code == 0
    assert "Warning: the run is running, and has only 1 rows so far." in done.stderr

"""A full, failing or read-only disk: writes are answered 503 and change nothing, and work afterwards."""

import errno
import json
import os
import subprocess
import time
import urllib.error
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import call
from tests.e2e.disks import fill
from tests.payloads import target
from tests.server import MASTER_KEY, Server, running
from tests.storage.repositories import git, settle
from tests.torture import faults

TARGETS = "/v1/repo/demo/targets"


@pytest.mark.slow
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_write_that_fails_at_any_step_changes_nothing(error: int):
    (line,) = faults.run([error], list(faults.kinds()) if error == errno.ENOSPC else ["target", "tag"])
    assert "nothing lost" in line


def ask(server: Server, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return the status and body of an answer, good or not."""
    try:
        return 200, call(server, MASTER_KEY, method, path, body)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_full_temporary_folder_is_answered_503(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(small_disk))
    with running(tmp_path / "data") as server:
        ask(server, "POST", "/v1/repo", {"repo_name": "demo"})
        clone = [
            "git",
            "clone",
            "--quiet",
            f"http://admin:{MASTER_KEY}@127.0.0.1:{server.port}/git/admin/demo.git",
        ]
        fill(small_disk / "filler")
        refused = subprocess.run([*clone, tmp_path / "refused"], capture_output=True, text=True)
        assert refused.returncode != 0
        assert "503" in refused.stderr
        assert ask(server, "POST", TARGETS, target("meanwhile"))[0] == 200
        (small_disk / "filler").unlink()
        subprocess.run([*clone, tmp_path / "cloned"], check=True)
        assert "the folder for temporary files cannot take the request" in server.log.read_text()
        assert "Traceback" not in server.log.read_text()
    assert (tmp_path / "cloned/targets/meanwhile.yml").exists()


def remount(disk: Path, how: str) -> None:
    """Remount a disk read-only or writable, once no file on it is open for writing."""
    deadline = time.monotonic() + 30
    while subprocess.run(["mount", "-o", f"remount,{how}", disk], capture_output=True).returncode:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_writes_are_refused_while_the_disk_is_full_or_read_only(small_disk: Path, trouble: str):
    with running(small_disk / "data") as server:
        assert ask(server, "POST", "/v1/repo", {"repo_name": "demo"})[0] == 200
        assert ask(server, "POST", TARGETS, target("before"))[0] == 200
        settle(small_disk)  # a file that is half written when that begins could not be removed
        if trouble == "full":
            fill(small_disk / "filler")
        else:
            remount(small_disk, "ro")
        for number in range(3):
            status, answer = ask(server, "POST", TARGETS, target(f"meanwhile-{number}"))
            assert (status, answer["code"]) == (503, "STORAGE_UNAVAILABLE")
            assert "demo" in answer["message"]
            assert ask(server, "POST", "/v1/repo", {"repo_name": "other"})[0] == 503
        assert ask(server, "GET", "/v1/health")[0] == 503
        assert ask(server, "GET", TARGETS) == (200, {"targets": ["before"]})
        if trouble == "full":
            (small_disk / "filler").unlink()
        else:
            remount(small_disk, "rw")
        assert ask(server, "POST", TARGETS, target("after"))[0] == 200
        assert ask(server, "POST", "/v1/repo", {"repo_name": "other"})[0] == 200
        assert ask(server, "GET", TARGETS) == (200, {"targets": ["after", "before"]})
        assert "Traceback" not in server.log.read_text()
    repository = small_disk / "data/repos/admin/demo.git"
    assert git(repository, "fsck", "--full", "--strict", "--no-dangling") == ""
    assert not [path for name in ("*.lock", "tmp_*", ".new-*") for path in (small_disk / "data").rglob(name)]


def test_reads_that_need_no_new_file_are_answered_on_a_full_disk(small_disk: Path):
    """The journal has room for some writes, and the disk has none for packs: so no checkpoint succeeds."""
    with running(small_disk / "data") as server:
        ask(server, "POST", "/v1/repo", {"repo_name": "demo"})
        for number in range(30):
            assert ask(server, "POST", TARGETS, target(f"before-{number}"))[0] == 200
        settle(small_disk)
        fill(small_disk / "filler")
        os.truncate(small_disk / "filler", (small_disk / "filler").stat().st_size - 4096)  # for git's lock
        assert ask(server, "POST", TARGETS, target("meanwhile"))[0] == 200
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        for path in ("log", "log?path=targets", "targets/meanwhile/history", "targets/meanwhile/explain"):
            status, answer = ask(server, "GET", f"/v1/repo/demo/{path}")
            assert status == 200, answer
        for ref in (now, "main"):
            status, answer = ask(server, "GET", f"{TARGETS}?ref={ref}")
            assert (status, len(answer["targets"])) == (200, 31)
        clone = f"http://admin:{MASTER_KEY}@127.0.0.1:{server.port}/git/admin/demo.git"
        refused = subprocess.run(["git", "ls-remote", clone], capture_output=True, text=True)
        assert "No space left on device" in refused.stderr  # git has to have what it sends
        (small_disk / "filler").unlink()
        assert git(small_disk / "data/repos/admin/demo.git", "show", "main:targets/meanwhile.yml")
        assert subprocess.run(["git", "ls-remote", clone], capture_output=True).returncode == 0
        assert "Traceback" not in server.log.read_text()

"""Run workers: `bakehouse serve` starts them, keeps them up, and takes them along when it ends, however it ends."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.seams import wait_until
from tests.server import Server, environment, limited, running

COMMAND = [sys.executable, "-m", "app.cli", "worker"]


def is_there(pid: int) -> bool:
    """Tell whether a process runs; one that ended, and whose parent was killed, does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def ready(server: Server, count: int) -> list[int]:
    """Wait until so many run workers are at work, and return them."""
    wait_until(lambda: len(server.run_workers()) == count)
    found = server.run_workers()
    wait_until(lambda: all(f"Run worker {pid} carries out" in server.log.read_text() for pid in found))
    return found


def test_a_server_has_as_many_as_the_setting_says_and_takes_them_along(tmp_path: Path):
    with running(tmp_path, workers="1", run_workers="2") as server:
        found, web = ready(server, 2), server.workers()
        assert len(web) == 1
        server.process.terminate()
        assert server.process.wait(60) == 0
        told = server.log.read_text()
    assert [pid for pid in (*web, *found) if is_there(pid)] == []
    assert [pid for pid in found if f"Run worker {pid} has ended" not in told] == []
    assert "ERROR" not in told
    assert "Traceback" not in told


def test_a_server_has_one_by_default(tmp_path: Path):
    with running(tmp_path, run_workers="") as server:
        ready(server, 1)


def test_one_makes_way_for_requests(tmp_path: Path):
    with running(tmp_path, run_workers="1") as server:
        (found,) = ready(server, 1)
        web = [os.getpriority(os.PRIO_PROCESS, pid) for pid in server.workers()]
        assert {min(priority + 10, 19) for priority in web} == {os.getpriority(os.PRIO_PROCESS, found)}


def test_a_server_may_have_none(tmp_path: Path):
    with running(tmp_path, run_workers="0") as server, running(tmp_path, run_workers="1") as later:
        ready(later, 1)
        assert server.run_workers() == []


def test_one_that_is_killed_is_started_again_and_later_each_time(tmp_path: Path):
    with running(tmp_path, run_workers="1") as server:
        ready(server, 1)
        web = server.workers()
        for seconds in (1, 2):
            [pid] = ready(server, 1)
            os.kill(pid, signal.SIGKILL)
            told = f"Run worker {pid} ended with status -9. Another one starts in {seconds} s."
            wait_until(lambda: told in server.log.read_text())  # noqa: B023
        ready(server, 1)
        assert server.workers() == web


@pytest.mark.parametrize("who", ["the master", "the master and its web workers"])
def test_none_outlives_a_server_that_is_killed(tmp_path: Path, who: str):
    with running(tmp_path, run_workers="2") as server:
        found, web = ready(server, 2), server.workers()
        for pid in (server.process.pid, *(web if "web" in who else ())):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_there, found)))
        told = server.log.read_text()
    assert [pid for pid in found if f"Run worker {pid} has ended" not in told] == []


def test_one_that_has_just_started_does_not_outlive_the_server(tmp_path: Path):
    with running(tmp_path, run_workers="1") as server:
        wait_until(lambda: server.run_workers() != [])
        [pid] = server.run_workers()
        os.kill(server.process.pid, signal.SIGKILL)
        wait_until(lambda: not is_there(pid))


def test_a_reload_puts_new_ones_in_their_places(tmp_path: Path):
    with running(tmp_path, workers="1", run_workers="1") as server:
        [old] = ready(server, 1)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not is_there(old))
        [new] = ready(server, 1)
        assert new != old
        assert "ended with status" not in server.log.read_text()


def test_one_that_does_not_end_is_killed_with_the_server(tmp_path: Path):
    with running(tmp_path, workers="1", run_workers="1") as server:
        [pid] = ready(server, 1)
        os.kill(pid, signal.SIGSTOP)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 0
        assert not is_there(pid)


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_runs_without_a_server_and_ends_at_a_signal(tmp_path: Path, way: signal.Signals):
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            COMMAND, env=environment(tmp_path / "data"), stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        try:
            wait_until(lambda: f"Run worker {process.pid} carries out 4 runs at once" in log.read_text())
            process.send_signal(way)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
    told = log.read_text()
    assert f"Run worker {process.pid} has ended" in told
    assert "Traceback" not in told


def test_a_worker_with_few_open_files_carries_out_fewer_runs(tmp_path: Path):
    with running(tmp_path, limited(64, "-m", "app.cli", "serve"), run_workers="1") as server:
        [pid] = ready(server, 1)
        assert f"Run worker {pid} carries out 1 runs at once" in server.log.read_text()
    done = subprocess.run(
        limited(50, "-m", "app.cli", "worker"), env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "A process may open only 50 files at once, and needs at least 62: raise the limit" in done.stderr


def test_a_worker_does_not_start_with_a_wrong_setting(tmp_path: Path):
    done = subprocess.run(
        COMMAND, env=environment(tmp_path, runs_at_once="many"), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "BAKEHOUSE_RUNS_AT_ONCE must be a whole number from 1 to 64, not 'many'." in done.stderr

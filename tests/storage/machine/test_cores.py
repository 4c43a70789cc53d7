"""Shares of the cores for workers, and all cores for git."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.machine import cores
from storage.repository import Repository
from tests.storage.repositories import increment

needs_two_cores = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two cores",
)


@given(st.lists(st.integers(0, 999), unique=True), st.integers(1, 20))
def test_shares_are_equal_and_cover_all_cores(all_of_them: list[int], shares: int):
    found = [cores.share(all_of_them, number, shares) for number in range(shares)]
    if len(all_of_them) < shares:
        assert found == [all_of_them] * shares
    else:
        assert [core for part in found for core in part] == all_of_them
        sizes = [len(part) for part in found]
        assert max(sizes) - min(sizes) <= 1


SCRIPT = """
import os, sys
from pathlib import Path
from storage.machine import cores
from storage.store import Store
cores.pin_to_share(0, 2)
own = os.sched_getaffinity(0)
repository = Store(Path(sys.argv[1])).open("alice/demo")
repository.at(repository.find("main")).read("counter")
repository.fetches.advertise_refs("version=2")
list(repository.fetches.upload_pack("version=2", open(os.devnull, "rb")))
repository.maintain(always=True)
repository._objects._cat_file.read(bytes.fromhex(repository.head().commit))
assert os.sched_getaffinity(0) == own != cores._ALL
"""


@needs_two_cores
def test_git_processes_may_use_all_cores(repository: Repository, tmp_path: Path):
    repository.transact(increment)
    (tmp_path / "bin").mkdir()
    git, log = tmp_path / "bin" / "git", tmp_path / "log"
    git.write_text(
        f'#!/bin/sh\necho $1 $(grep Cpus_allowed_list /proc/self/status) >> {log}\nexec {shutil.which("git")} "$@"\n'
    )
    git.chmod(0o755)
    path = f"{git.parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[3], env={**os.environ, "PATH": path})
    allowed = Path("/proc/self/status").read_text().partition("Cpus_allowed_list:")[2].split()[0]
    ran = log.read_text().splitlines()
    assert len(ran) > 5
    assert [line for line in ran if not line.endswith(f" {allowed}")] == []

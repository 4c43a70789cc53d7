"""`kill -9` of the server at random moments under writing clients: no write is lost or half there.

Each write has a request id, which is in its commit: so each commit is compared with what was
asked for, and each answer against its commit.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.machine import disk
from storage.waits import Waits
from tests.server import Server, environment, running
from tests.storage.repositories import heads, settle
from tests.torture import evidence
from tests.torture.evidence import Commit
from tests.torture.writers import Write, Writer, ask, connect

CLIENTS = 16
_ROUNDS_IN_A_REPO = 10  # then others are begun: `git fsck` reads all of a repo after each kill
_KINDS = ("all", "a worker", "all beside maintenance", "the master", "all", "a worker")
_SERVED_ON = ("a worker", "the master")  # workers without a master serve on for half a minute
_READ_AT_MOST = 100
_AGED = 7200  # seconds; maintenance takes what is older than an hour for left behind


@dataclass
class Torture:
    """A data directory, the clients that write to it, and what was found so far."""

    data_dir: Path
    chance: random.Random
    writers: list[Writer]
    checked: dict[str, str] = field(default_factory=dict)  # the tip of each repo at the last check
    found: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    def folder(self, repo: str) -> Path:
        """Return the folder of a repo."""
        return self.data_dir / "repos" / "admin" / f"{repo}.git"

    def round(self, number: int, kind: str) -> None:
        """Write, kill, start again where that is needed, and check."""
        era = number // _ROUNDS_IN_A_REPO
        repos = [f"{name}-{era}" for name in ("shared", "shared", "a", "b")]
        with running(self.data_dir) as server:
            self._make_repos(server, repos)
            self._kill(server, kind)
            if kind == "a worker":
                self._check(server)
        if kind != "a worker":
            with running(self.data_dir) as server:
                self._check(server)
        self.kinds[kind] += 1

    def _make_repos(self, server: Server, repos: list[str]) -> None:
        with contextlib.closing(connect(server.port)) as connection:
            for repo in sorted(set(repos)):
                ask(connection, "POST", "/v1/repo", {"repo_name": repo}, X_Request_Id="make")
        for writer in self.writers:
            writer.repos = repos

    def _kill(self, server: Server, kind: str) -> None:
        """Kill processes at a random moment; return when no client has anything to say any more."""
        stop = threading.Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            writing = [pool.submit(writer.write_on, server.port, stop) for writer in self.writers[:CLIENTS]]
            try:
                self._kill_processes(server, kind)
            finally:
                if kind in _SERVED_ON or sys.exception():
                    stop.set()
            for done in writing:
                done.result()

    def _kill_processes(self, server: Server, kind: str) -> None:
        if kind == "all beside maintenance":
            command = [sys.executable, "-m", "app.cli", "maintain", "--all"]
            settings = environment(self.data_dir)
            silent = subprocess.DEVNULL
            started = subprocess.Popen(
                command, env=settings, stdout=silent, stderr=silent, process_group=server.process.pid
            )
            time.sleep(0.4)  # about what it takes to begin
        time.sleep(self.chance.uniform(0.05, 1.0))
        if kind == "a worker":
            os.kill(self.chance.choice(server.workers()), signal.SIGKILL)
        elif kind == "the master":
            os.kill(server.process.pid, signal.SIGKILL)
        else:
            os.killpg(server.process.pid, signal.SIGKILL)
        if kind in _SERVED_ON:
            time.sleep(self.chance.uniform(1.0, 2.0))  # what a worker left holds the others up for a second
        if kind == "all beside maintenance":
            started.wait()

    def _check(self, server: Server) -> None:
        """Hold all that is there against all that was asked for since the last check."""
        repos = sorted(set(self.writers[0].repos))
        last = self.writers[-1]  # which writes only now: the next request works, and mends
        with contextlib.closing(connect(server.port)) as connection:
            for repo in repos:
                last.write(connection, "create", repo)
                last.write(connection, "tag", repo)
            last.write(connection, "put", repos[0])
        settle(self.data_dir)
        assert not [path for path in evidence.locks(self.data_dir) if not _is_maintenances(path)]
        for repo in repos:
            self._check_history(repo)
            self._check_tags(repo)
            self._check_labels(repo)
            with disk.exclusive(self.folder(repo) / "objects", Waits(600)):  # fsck takes what is rolled up for lost
                evidence.check_objects(self.folder(repo))
        self._read(server)
        for writer in self.writers:
            writer.writes.clear()
            writer.tags.clear()

    def _check_history(self, repo: str) -> None:
        folder = self.folder(repo)
        commits = evidence.line(folder, since=self.checked.get(repo))
        if repo not in self.checked:
            assert commits[0].request == "make"
            del commits[0]
        self.checked[repo] = commits[-1].id
        made = {commit.request: commit for commit in commits}
        assert len(made) == len(commits), f"{repo}: a request made two commits"
        writes = {write.id: write for writer in self.writers for write in writer.writes if write.repo == repo}
        assert made.keys() <= writes.keys(), f"{repo}: nobody asked for {made.keys() - writes.keys()}"
        after = [blob for commit in commits for _, blob in commit.changes.values() if blob]
        contents = evidence.contents(folder, after)
        for write in writes.values():
            self._check_write(write, made.get(write.id), contents)
        tree = evidence.tree(folder)
        for writer in self.writers:
            for (of_repo, path), version in writer.versions.items():
                assert of_repo != repo or tree.get(path) == version, f"{repo}: {path} is not {version}"

    def _check_write(self, write: Write, commit: Commit | None, contents: Mapping[str, str]) -> None:
        if write.status is None:
            self.found["unknown"] += 1
            self.found["unknown, there"] += commit is not None
        elif write.status == 412:
            self.found["refused"] += 1
            assert commit is None, f"refused, and yet there: {write}"
        else:
            self.found["acknowledged"] += 1
            assert commit is not None, f"lost: {write}"
            assert write.commit in (commit.id, None), f"another commit than was answered: {write}, {commit}"
        if commit is None:
            return
        assert commit.changes.keys() == write.changes.keys(), f"half there: {write}, {commit}"
        for path, (before, after) in commit.changes.items():
            assert write.insists_on in (before, None), f"written over another version: {write}, {commit}"
            assert write.version in (after, None), f"another version than was answered: {write}, {commit}"
            word = write.changes[path]
            assert (word is None) == (after is None), f"{write}, {commit}"
            assert after is None or f"{word}" in contents[after], f"{write}: {contents[after]}"

    def _check_tags(self, repo: str) -> None:
        there = evidence.tags(self.folder(repo))
        for tag in (tag for writer in self.writers for tag in writer.tags if tag.repo == repo):
            assert there.get(tag.name, None if not tag.answered else "") in (tag.commit, None), tag
            self.found["tags"] += tag.name in there

    def _check_labels(self, repo: str) -> None:
        """Expect a branch for each label, on its commit, and no other branch but `main`."""
        labels = {path: blob for path, blob in evidence.tree(self.folder(repo)).items() if path.startswith("labels/")}
        contents = evidence.contents(self.folder(repo), labels.values())
        branches = heads(self.folder(repo))
        del branches["main"]
        assert branches.keys() == {Path(path).stem for path in labels}, repo
        for path, blob in labels.items():
            assert branches[Path(path).stem] in contents[blob], f"{repo}: {path}"
        self.found["labels"] += len(labels)

    def _read(self, server: Server) -> None:
        """Ask the server for the versions that clients know, and for some of their writes as of then."""
        places = {place: version for writer in self.writers for place, version in writer.versions.items()}
        current = [place for place in places if place[0] in self.writers[0].repos]
        single = [write for writer in self.writers for write in writer.writes if len(write.changes) == 1]
        writes = [write for write in single if write.commit]  # the answer to a batch has no ETag
        asked = [(repo, path, places[repo, path], "") for repo, path in self._some(current)]
        asked += [
            (write.repo, next(iter(write.changes)), write.version, f"?ref={write.commit}")
            for write in self._some(writes)
        ]
        with contextlib.closing(connect(server.port)) as connection:
            for repo, path, version, query in asked:
                url = f"/v1/repo/{repo}/{path.removesuffix('.yml')}{query}"
                _, headers = ask(connection, "GET", url)
                assert headers["ETag"] == (f'"{version}"' if version else None), f"{url} is not {version}"
                self.found["reads"] += 1

    def _some(self, of: list[Any]) -> list[Any]:
        return self.chance.sample(of, min(len(of), _READ_AT_MOST))

    def finish(self) -> None:
        """Let `bakehouse verify` find nothing, and maintenance clear what kills left to it."""
        for path in [*evidence.scratch(self.data_dir), *evidence.locks(self.data_dir)]:
            self.left[_kind(path)] += 1
            os.utime(path, (time.time() - _AGED,) * 2)
        _bakehouse(self.data_dir, "maintain", "--all")
        assert [*evidence.scratch(self.data_dir), *evidence.locks(self.data_dir)] == []
        _bakehouse(self.data_dir, "verify")


def run(rounds: int, seed: int) -> Iterator[str]:
    """Kill a server so many times; yield what was found, or raise AssertionError."""
    writers = [Writer(number, random.Random(f"{seed}-{number}")) for number in range(CLIENTS + 1)]
    with tempfile.TemporaryDirectory(prefix="bakehouse-kills-") as folder:
        torture = Torture(Path(folder, "data"), random.Random(seed), writers)
        for number in range(rounds):
            torture.round(number, _KINDS[(number + seed) % len(_KINDS)])
        torture.finish()
    found = torture.found
    yield (
        f"kill -9: {rounds} kills ({_list(torture.kinds)}), {found['acknowledged']:,} acknowledged writes, "
        f"{found['unknown']:,} unknown ({found['unknown, there']:,} there, whole), "
        f"{found['refused']:,} refused, {found['tags']:,} tags, {found['labels']:,} labels, "
        f"{found['reads']:,} reads: nothing lost"
    )
    yield f"kill -9: left to maintenance, and cleared by it: {_list(torture.left) or 'nothing'}"


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{count} × {kind}" for kind, count in sorted(counts.items()))


def _is_maintenances(path: Path) -> bool:
    return "tags" in path.parts or path.name in ("commit-graph-chain.lock", "packed-refs.lock")


def _kind(path: Path) -> str:
    known = (
        "tmp_idx",
        "tmp_pack",
        "tmp_tag",
        "tmp_graph",
        "tmp_",
        ".new",
        "packed-refs.new",
        "flush-",
        "pack-",
    )
    return next((name for name in known if path.name.startswith(name)), path.name)


def _bakehouse(data_dir: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "app.cli", *arguments]
    done = subprocess.run(command, env=environment(data_dir), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr

"""A data directory with every kind of file that Bakehouse or git's own commands write.

The same git makes the same bytes each time, so the effect of one flipped bit can be reproduced.
"""

import itertools
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from werkzeug.test import TestResponse

from app import create_app
from app.domain import tokens
from app.settings import Settings
from storage import moments, tags
from storage.journal import header
from storage.maintenance import write_commit_graph
from storage.repository import Repository
from storage.store import Store
from tests.client import Client
from tests.payloads import asking, made, target
from tests.server import MASTER_KEY
from tests.storage.repositories import branch, git
from tests.torture.power import no_checkpoints

FOLDERS = {"accounts": "accounts.git", "demo": "repos/alice/demo.git", "other": "repos/carol/other.git"}
BEGAN = 1_750_000_000  # seconds; each write is a minute after the one before
DEMO, OTHER, USERS = "/v1/repo/demo", "/v1/repo/other", "/v1/admin/users"

_BY_HAND = ("-c", "pack.threads=1", "-c", "pack.writeReverseIndex=true")


@dataclass(frozen=True)
class State:
    """A data directory to copy. `tokens` are by their names; `commits` are those of `demo`, oldest first."""

    name: str
    data_dir: Path
    tokens: Mapping[str, str]
    commits: list[str]


class _Clock:
    """The clock that commits and tokens are made by."""

    fromisoformat = datetime.fromisoformat

    def __init__(self) -> None:
        self.seconds = BEGAN

    def time(self) -> float:
        return self.seconds

    def now(self, _: Any) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


@contextmanager
def same_machine() -> Iterator[None]:
    """Let no checkpoint happen in the background, and the machine never restart."""
    with no_checkpoints(), patch.object(header, "BOOT", bytes(16)):
        yield


@contextmanager
def _no_chance() -> Iterator[_Clock]:
    clock, numbers = _Clock(), itertools.count()
    with (
        same_machine(),
        patch.object(moments, "time", clock),
        patch.object(tags, "time", clock),
        patch.object(tokens, "datetime", clock),
        patch.object(secrets, "token_urlsafe", lambda size: f"{next(numbers):0{size}}"),
    ):
        yield clock


def repositories(data_dir: Path) -> Iterator[tuple[str, Repository]]:
    """Open the repositories of a data directory anew; StorageError for one that cannot be opened."""
    for place, folder in FOLDERS.items():
        root, _, name = folder.removesuffix(".git").partition("/")
        yield place, Store(data_dir / root).open(name) if name else Store(data_dir).open(root)


class _Maker:
    """What makes a data directory, request by request."""

    def __init__(self, data_dir: Path, clock: _Clock) -> None:
        self.data_dir = data_dir
        self.checkpoints = False
        self._clock = clock
        self._app = create_app(Settings(data_dir, master_key=MASTER_KEY, maintenance=False))
        self._tokens = {"master": MASTER_KEY}
        self._commits: list[str] = []

    @property
    def demo(self) -> Path:
        return self.data_dir / FOLDERS["demo"]

    def send(self, who: str, method: str, path: str, body: Any = None) -> TestResponse:
        """Write something, and let git see it unless it is to stay in the journal."""
        self._clock.seconds += 60
        client = Client(self._app, self._tokens[who])
        answer = client.request(method, path, body, X_Request_Id="made")
        assert answer.status_code in (200, 201), answer.text
        if path.startswith(DEMO) and "Git-Commit" in answer.headers:
            self._commits.append(answer.headers["Git-Commit"])
        if self.checkpoints:
            for _, repository in repositories(self.data_dir):
                repository.checkpoint()
        return answer

    def user(self, name: str) -> None:
        """Make a user; their first token is known by their name."""
        body = {"user_id": name, "user_alias": name.title(), "user_email": f"{name}@example.org"}
        self._tokens[name] = self.send("master", "POST", USERS, body).json["api_key"]

    def token(self, user: str, name: str, **asked: Any) -> None:
        """Give a user one more token."""
        path, body = f"{USERS}/{user}/tokens", {"name": name, **asked}
        self._tokens[name] = self.send("master", "POST", path, body).json["api_key"]

    def put(self, name: str, template: str = "default", **overrides: Any) -> None:
        """Put a target into `demo`."""
        self.send("alice", "PUT", f"{DEMO}/targets/{name}", made(template, **overrides))

    def prompt(self, name: str, text: str) -> None:
        """Put a prompt into `demo`."""
        body = {"messages": [{"role": "system", "content": text}]}
        self.send("alice", "PUT", f"{DEMO}/prompts/{name}", body)

    def loosen(self, count: int) -> None:
        """Put the last so many commits of `demo` into files of their own, object by object."""
        packs = self.demo / "objects/pack"
        for commit in self._commits[-count:]:
            (index,) = (path for path in packs.glob("flush-*.idx") if bytes.fromhex(commit) in path.read_bytes())
            taken = packs.parent / f"{index.stem}.pack"
            (packs / taken.name).rename(taken)
            index.unlink()
            with taken.open("rb") as pack:
                subprocess.run(["git", "-C", self.demo, "unpack-objects", "-q"], stdin=pack, check=True)
            taken.unlink()

    def state(self, name: str) -> State:
        """Return a copy of what there is."""
        data_dir = self.data_dir.with_name(name)
        shutil.copytree(self.data_dir, data_dir)
        return State(name, data_dir, dict(self._tokens), list(self._commits))


def make(folder: Path) -> list[State]:
    """Make a data directory with all commits in git's files, and one with some only in each journal."""
    with _no_chance() as clock:
        maker = _Maker(folder / "making", clock)
        _begin(maker)
        for number, path in enumerate(sorted(maker.data_dir.rglob("*.pack"))):
            os.utime(path, (BEGAN + number,) * 2)  # git goes through packs by their times
        for _, repository in repositories(maker.data_dir):
            repository.maintain(always=True)
        _go_on(maker)
        states = [maker.state("checkpointed")]
        _write_more(maker)
        return [*states, maker.state("no_checkpoints")]


def _begin(maker: _Maker) -> None:
    """Make what maintenance packs."""
    for name in ("alice", "bob", "carol", "dave"):
        maker.user(name)
    maker.token("alice", "nightly", access="read", repos=["demo"], expires_at="2099-12-31T00:00:00Z")
    maker.token("alice", "ci")
    maker.send("master", "DELETE", f"{USERS}/dave/tokens/initial")
    maker.send("alice", "POST", "/v1/repo", {"repo_name": "demo"})
    maker.send("carol", "POST", "/v1/repo", {"repo_name": "other"})
    maker.checkpoints = True
    maker.send("carol", "POST", f"{OTHER}/targets", target("kept"))
    config = {"max_tokens": 100, "generators": asking("Why?", "why.txt")}
    maker.send("alice", "PUT", f"{DEMO}/defaults/target", {"config": config})
    maker.send("alice", "PUT", f"{DEMO}/grants/bob", {"access": "write"})
    maker.send("alice", "POST", f"{DEMO}/targets", target("base"))
    maker.put("child", "base", temperature=0.5)
    maker.put("grandchild", "child", max_tokens=200)
    maker.put("asks", generators=asking("How?\nAnd when?\n"))
    maker.put("doomed", "base", temperature=0.1)
    maker.prompt("system_prompt_v1", "You are terse.")
    maker.prompt("user_prompt_v1", "")
    maker.send("alice", "POST", f"{DEMO}/tags", {"name": "v1", "message": "What the nightly run uses"})
    git(maker.demo, "tag", "light-1", "main~2")


def _go_on(maker: _Maker) -> None:
    """Make what git's own commands pack and index; then a little in small packs and in loose objects."""
    maker.put("child", "base", temperature=0.9)
    maker.send("alice", "PUT", f"{DEMO}/defaults/target", {"config": {"max_tokens": 150}})
    maker.send("alice", "DELETE", f"{DEMO}/targets/doomed")
    maker.prompt("system_prompt_v1", "You are terse, and kind.")
    maker.send("bob", "PUT", f"{DEMO}/targets/shared?user_id=alice", made("base", max_tokens=7))
    maker.loosen(3)
    git(maker.demo, *_BY_HAND, "repack", "-dq")
    git(maker.demo, *_BY_HAND, "multi-pack-index", "write")
    git(maker.demo, "pack-refs", "--all")
    git(maker.data_dir / FOLDERS["other"], "pack-refs", "--all")
    (demo,) = (repository for place, repository in repositories(maker.data_dir) if place == "demo")
    write_commit_graph(branch(demo))
    maker.send("alice", "POST", f"{DEMO}/tags", {"name": "v2", "ref": "v1"})
    git(maker.demo, "tag", "light-2", "main~1")
    maker.user("dora")
    maker.token("bob", "spare")
    maker.put("grandchild", "child", max_tokens=250)
    maker.put("asks", generators=asking("How?\nAnd for how long?\n"))
    maker.loosen(1)


def _write_more(maker: _Maker) -> None:
    """Make more packs than are read whole when a repository is opened, and then leave commits in journals."""
    for number in range(6):
        maker.put("child", "base", temperature=number / 10)
    maker.checkpoints = False
    maker.put("child", "base", temperature=1.5)
    maker.put("late", "grandchild", generators=asking("How late?", "late.txt"))
    maker.send("alice", "PUT", f"{DEMO}/defaults/target", {"config": {"max_tokens": 175}})
    maker.prompt("late", "You are late.")
    maker.send("alice", "PUT", f"{DEMO}/grants/dora", {"access": "read"})
    maker.send("carol", "POST", f"{OTHER}/targets", target("late"))
    maker.user("erin")
    maker.token("alice", "late")

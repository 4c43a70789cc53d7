"""Each call on a file refused once, for each kind of request: the right answer or 503, and then success."""

import builtins
import errno
import fcntl
import io
import logging
import os
import re
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from typing import Any
from unittest.mock import patch

from werkzeug.test import TestResponse

from app import create_app
from app.registry.messages import Origin
from app.registry.users.accounts import Accounts
from app.runs.services import Runs
from app.settings import Settings
from app.wire.context import Services
from storage.store import Store
from tests.client import Client, assert_error
from tests.contracts import hold_to_contracts
from tests.payloads import asking, made, target
from tests.server import MASTER_KEY
from tests.torture import faults
from tests.torture.power import no_checkpoints

ERRORS = (errno.EACCES, errno.EIO, errno.ENOENT, errno.ESTALE, errno.EMFILE)

_CALLS = {
    os: """open read pread write pwritev fsync stat lstat fstat listdir scandir access readlink utime chmod
           mkdir rmdir rename replace link unlink remove ftruncate truncate""",
    fcntl: "flock",
    io: "open",
    builtins: "open",
}
_readlink = os.readlink
# Files that may be missing in a sound repository: a refusal with ENOENT cannot be noticed.
_MAY_BE_MISSING = re.compile(r"/repos/\w+$|/repos/\w+/\w+\.git(/packed-refs|/refs/tags.*)?$")
_PACKED_EVERY = 5  # rounds
_MODES = ("warm", "cold", "journal")


@dataclass
class Refusal:
    """Counts the calls of one thread on files below a folder, and refuses the call number `at`."""

    folder: str
    error: int
    at: int
    thread: int
    steps: int = 0
    refused: str = ""  # which call, on what

    def step(self, name: str, path: object, within: int | None) -> None:
        """Count a call, or refuse it."""
        if threading.get_ident() != self.thread:
            return
        place = _place(path) if within is None else f"{_place(within)}/{path}"
        if not place.startswith(self.folder):
            return
        self.steps += 1
        if self.steps == self.at:
            self.refused = f"{name} {place.removeprefix(self.folder)}"
            raise OSError(self.error, os.strerror(self.error), place)


def _place(path: object) -> str:
    if isinstance(path, int):
        try:
            return _readlink(f"/proc/self/fd/{path}")
        except OSError:
            return ""
    return os.fsdecode(path)  # type: ignore[arg-type]


@contextmanager
def refusing(folder: Path, error: int, at: int) -> Iterator[Refusal]:
    """Refuse one of this thread's calls on paths and open files below a folder."""
    refusal = Refusal(str(folder), error, at, threading.get_ident())

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
            if not (name == "open" and isinstance(path, int)):
                refusal.step(name, path, kwargs.get("dir_fd"))
            return original(path, *args, **kwargs)

        return call

    with ExitStack() as stack:
        for module, names in _CALLS.items():
            for name in names.split():
                stack.enter_context(patch.object(module, name, counted(name, getattr(module, name))))
        yield refusal


class Refuser:
    """An application whose calls are refused: its data directory, and the token of the user `admin`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.app = create_app(Settings(data_dir, master_key=MASTER_KEY))
        hold_to_contracts(self.app)
        self.master = Client(self.app, MASTER_KEY)
        self.admin = Client(self.app, self.master.post("/v1/admin/users", {"user_id": "admin"}).json["api_key"])
        self.numbers = iter(range(10**9))
        self.refused = 0  # requests

    def open_anew(self) -> None:
        """Let it have nothing open, and know nothing, as after a start."""
        known = self.app.extensions["bakehouse"]
        accounts = Accounts(Store(self.data_dir), Origin("bakehouse"))
        store = Store(self.data_dir / "repos")
        self.app.extensions["bakehouse"] = Services(
            known.settings, known.master_key, accounts, store, known.deleted, None, Runs(known.settings, store)
        )

    def checkpointed(self) -> None:
        self.app.extensions["bakehouse"].store.open("admin/demo").checkpoint()

    def pack(self, at: int) -> None:
        """Pack the repositories now and then: each pack is looked at, and each round makes one more."""
        if at % _PACKED_EVERY == 0:
            for root, name in (("", "accounts"), ("repos", "admin/demo")):
                Store(self.data_dir / root).open(name).maintain(always=True)

    def fill(self) -> dict[str, str]:
        """Make a repo with something of everything, and return the path of each kind of read."""
        demo = "/v1/repo/demo"
        self.admin.post("/v1/repo", {"repo_name": "demo"})
        self.admin.post(f"{demo}/targets", target("parent", generators=asking("?")))
        self.admin.post(f"{demo}/targets", target("child", "parent", temperature=0.5))
        self.admin.post(f"{demo}/prompts", {"prompt_name": "terse", "messages": []})
        tag = self.admin.post(f"{demo}/tags", {"name": "v1"}).json
        self.admin.put(f"{demo}/targets/parent", made(temperature=0.9))
        child = f"{demo}/targets/child"
        return {
            "repos": "/v1/repo",
            "repos with metadata": "/v1/repo?include_metadata=true",
            "repo": demo,
            "targets": f"{demo}/targets",
            "target": child,
            "default": f"{demo}/defaults/target",
            "prompts": f"{demo}/prompts",
            "prompt": f"{demo}/prompts/terse",
            "tags": f"{demo}/tags",
            "tag": f"{demo}/tags/v1",
            "grants": f"{demo}/grants",
            "log": f"{demo}/log",
            "log of a path": f"{demo}/log?path=targets/child.yml",
            "history": f"{child}/history",
            "explain": f"{child}/explain",
            "drift": f"{child}/drift",
            "descendants": f"{demo}/targets/parent/descendants",
            "diff": f"{child}/diff?against=parent",
            "at a tag": f"{child}?ref=v1",
            "at a commit": f"{child}?ref={tag['commit']}",
            "at a time": f"{child}?ref=2999-01-01T00:00:00Z",
            "clone": "/git/admin/demo.git/info/refs?service=git-upload-pack",
            "health": "/v1/health",
        }

    def refuse_each_call_of_a_read(self, kind: str, path: str, error: int, mode: str) -> int:
        """Refuse each call of a read once, and return how many there are."""
        headers = {}
        if kind == "clone":
            basic = b64encode(f"admin:{self.admin.token}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        for at in count(1):
            self.pack(at)
            if mode == "journal":
                body = {"messages": [{"role": "user", "content": str(next(self.numbers))}]}
                self.admin.put("/v1/repo/demo/prompts/changed", body)
            else:
                self.checkpointed()
            if mode == "warm":
                self.admin.get(path, **headers)
            else:
                self.open_anew()
            with refusing(self.data_dir, error, at) as refusal:
                answer = self.admin.get(path, **headers)
            where = f"{kind}, {mode}, {at}: {refusal}: {answer.status_code} {answer.text}"
            after = self.admin.get(path, **headers)
            assert after.status_code == 200, where
            if answer.data != after.data:
                self._expect_refusal(kind, answer, refusal, where)
            if not refusal.refused:
                return refusal.steps
        raise AssertionError("unreachable")

    def refuse_each_call_of_a_write(self, kind: str, error: int) -> int:
        """Refuse each call of a kind of write once, and return how many there are."""
        for at in count(1):
            self.pack(at)
            number = next(self.numbers)
            faults.prepare(self.master, kind, number)
            request = faults.kinds()[kind](number)
            before = faults.tips(self.data_dir)
            self.open_anew()
            with refusing(self.data_dir, error, at) as refusal:
                answer = self.master.request(*request)
            where = f"{kind}, {at}: {refusal}: {answer.status_code} {answer.text}"
            if answer.status_code not in (200, 201):
                self._expect_refusal(kind, answer, refusal, where)
                # a new repo may have been made before the refusal
                assert kind == "repo" or faults.tips(self.data_dir) == before, where
                assert self.master.request(*request).status_code in (200, 201), where
            assert faults.tips(self.data_dir) != before, where
            if not refusal.refused:
                return refusal.steps
        raise AssertionError("unreachable")

    def _expect_refusal(self, kind: str, answer: TestResponse, refusal: Refusal, where: str) -> None:
        """Expect 503, and a reason; or what is told where one repo, or one folder, cannot be read."""
        self.refused += 1
        _, place = refusal.refused.split()
        if refusal.error == errno.ENOENT and _MAY_BE_MISSING.match(place):
            assert answer.status_code in (200, 404, 503), where
        elif kind == "repos with metadata" and answer.status_code == 200:
            assert answer.json["repos"] == [{"repo_name": "demo", "base_model": None}], where
        elif kind == "health":
            assert (answer.status_code, answer.json["status"]) == (503, "degraded"), where
        else:
            assert_error(answer, 503, "STORAGE_UNAVAILABLE")
            assert answer.headers["Retry-After"], where
            assert re.search(r"'(accounts|admin|demo|repo-\d+)'", answer.json["message"]), where
            reason = "is damaged" if refusal.error == errno.ENOENT else os.strerror(refusal.error)
            assert reason in answer.json["message"], where


def run(
    errors: Sequence[int] = ERRORS,
    reads: Sequence[str] | None = None,
    writes: Sequence[str] | None = None,
    modes: Sequence[str] = _MODES,
) -> Iterator[str]:
    """Refuse each call of each kind of request, or of some, with each error; `modes` are those of reads."""
    logging.disable()  # thousands of lines, one for each refusal
    calls = 0
    with no_checkpoints(), tempfile.TemporaryDirectory(prefix="bakehouse-refusals-") as folder:
        refuser = Refuser(Path(folder, "data"))
        paths = refuser.fill()
        for kind, error, mode in product(paths if reads is None else reads, errors, modes):
            calls += refuser.refuse_each_call_of_a_read(kind, paths[kind], error, mode)
        for kind, error in product(faults.kinds() if writes is None else writes, errors):
            calls += refuser.refuse_each_call_of_a_write(kind, error)
    logging.disable(logging.NOTSET)
    yield f"refusals: {calls:,} calls that the system may refuse: {refuser.refused:,} answers 503, none wrong"

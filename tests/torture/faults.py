"""A full or failing disk at each step of each kind of write: refused, nothing changed, then success."""

import errno
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app import create_app
from app.registry import label_files
from app.settings import Settings
from storage.errors import StorageUnavailable
from storage.store import Store
from tests.client import Client
from tests.contracts import hold_to_contracts
from tests.server import MASTER_KEY
from tests.storage.repositories import git
from tests.torture.power import no_checkpoints

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EMFILE)
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

Request = tuple[str, str, Any]  # method, path, body


@dataclass
class Disk:
    """What was done to files below a folder, counted; from step `fails_at` on, so many steps fail."""

    folder: str
    error: int
    fails_at: int
    fails_for: int
    steps: int = 0
    failed: int = 0

    def step(self, path: object) -> None:
        """Count a step on a path or file descriptor, or refuse it."""
        if isinstance(path, int):
            path = Path(f"/proc/self/fd/{path}").readlink()
        if not os.fsdecode(path).startswith(self.folder):  # type: ignore[arg-type]
            return
        self.steps += 1
        if self.fails_at <= self.steps < self.fails_at + self.fails_for:
            self.failed += 1
            raise OSError(self.error, os.strerror(self.error), str(path))


@contextmanager
def failing(folder: Path, error: int, fails_at: int, fails_for: int = 1) -> Iterator[Disk]:
    """Let steps that change files below a folder fail in this process."""
    disk = Disk(str(folder), error, fails_at, fails_for)

    def counted(name: str) -> Callable[..., Any]:
        original = getattr(os, name)

        def call(path: Any, *args: Any, **kwargs: Any) -> Any:
            flags = args[0] if args else kwargs.get("flags", 0)
            if name != "open" or flags & _CHANGING:
                disk.step(path)
            return original(path, *args, **kwargs)

        return call

    with ExitStack() as stack:
        for name in ("open", "write", "pwritev", "fsync", "rename", "replace", "mkdir", "link", "ftruncate"):
            stack.enter_context(patch.object(os, name, counted(name)))
        yield disk


def kinds() -> dict[str, Callable[[int], Request]]:
    """Return the kinds of writes: each makes a request of its own of a number."""
    target = {"template": "default", "overrides": {"temperature": 0.5}}
    repo = "/v1/repo/demo"
    return {
        "repo": lambda n: ("POST", "/v1/repo", {"repo_name": f"repo-{n}"}),
        "target": lambda n: ("POST", f"{repo}/targets", {"target_name": f"t{n}", **target}),
        "PUT": lambda n: ("PUT", f"{repo}/targets/put", {**target, "overrides": {"max_tokens": n + 1}}),
        "delete": lambda n: ("DELETE", f"{repo}/targets/doomed-{n}", None),
        "batch": lambda n: (
            "POST",
            f"{repo}/targets/batch",
            {"targets": [{"target_name": f"b{n}-{item}", **target} for item in range(3)]},
        ),
        "default": lambda n: ("PUT", f"{repo}/defaults/target", {"config": {"max_tokens": n + 1}}),
        "prompt": lambda n: ("POST", f"{repo}/prompts", {"prompt_name": f"p{n}", "messages": []}),
        "grant": lambda n: ("PUT", f"{repo}/grants/user-{n}", {"access": "read"}),
        "tag": lambda n: ("POST", f"{repo}/tags", {"name": f"v{n}"}),
        "label": lambda n: ("PUT", f"{repo}/labels/{'live' if n % 2 else 'next'}", {"ref": "main"}),
        "user": lambda n: ("POST", "/v1/admin/users", {"user_id": f"new-{n}"}),
        "token": lambda n: ("POST", "/v1/admin/users/user-0/tokens", {"name": f"token-{n}"}),
    }


def run(errors: Sequence[int] = ERRORS, wanted: Sequence[str] = ()) -> Iterator[str]:
    """Let each step of each kind of write, or of some, fail with each error; yield what was found."""
    refused = 0
    logging.disable()  # thousands of lines, one for each refusal
    with no_checkpoints(), tempfile.TemporaryDirectory(prefix="bakehouse-faults-") as folder:
        data_dir = Path(folder, "data")
        app = create_app(Settings(data_dir, master_key=MASTER_KEY))
        hold_to_contracts(app)
        client = Client(app, MASTER_KEY)
        client.post("/v1/repo", {"repo_name": "demo"})
        numbers = iter(range(10**9))
        steps = {}
        for kind, make in kinds().items():
            if wanted and kind not in wanted:
                continue
            for error in errors:
                steps[kind], count = _fail_each_step(client, data_dir, kind, make, error, numbers)
                refused += count
        for error in errors:
            steps["checkpoint"], count = _fail_each_step_of_a_checkpoint(client, data_dir, error, numbers)
            refused += count
        for repository in data_dir.rglob("*.git"):
            assert git(repository, "fsck", "--full", "--strict", "--no-dangling") == ""
        logging.disable(logging.NOTSET)
        left = [path for name in ("*.lock", "tmp_*", ".new-*") for path in data_dir.rglob(name)]
        assert not left, left
    told = ", ".join(f"{count} of a {kind}" for kind, count in steps.items())
    yield f"faults: {len(errors)} errors at each step ({told}): {refused:,} refusals, nothing lost"


def _fail_each_step(
    client: Client,
    data_dir: Path,
    kind: str,
    make: Callable[[int], Request],
    error: int,
    numbers: Iterator[int],
) -> tuple[int, int]:
    """Return how many steps a write has, and how many of them refused it when they failed."""
    refused, fails_at = 0, 0
    while True:
        fails_at += 1
        number = next(numbers)
        prepare(client, kind, number)
        request = make(number)
        before = tips(data_dir)
        with failing(data_dir, error, fails_at) as disk:
            answer = client.request(*request)
        where = f"{kind}, step {fails_at}, {errno.errorcode[error]}: {answer.status_code} {answer.text}"
        if answer.status_code == 503:
            refused += 1
            assert disk.failed, where
            assert answer.json["code"] == "STORAGE_UNAVAILABLE", where
            assert answer.headers["Retry-After"], where
            assert tips(data_dir) == before, f"refused, and yet done: {where}"
            answer = client.request(*request)
        assert answer.status_code in (200, 201), where
        assert tips(data_dir) != before, f"answered, and not done: {where}"
        if not disk.failed:
            return disk.steps, refused


def prepare(client: Client, kind: str, number: int) -> None:
    """Make what a request of a kind needs to be there."""
    if kind == "delete":
        body = {"template": "default", "overrides": {"temperature": 0.5}}
        client.put(f"/v1/repo/demo/targets/doomed-{number}", body)
    elif kind == "grant":
        client.post("/v1/admin/users", {"user_id": f"user-{number}"})
    elif kind == "token":
        client.post("/v1/admin/users", {"user_id": "user-0"})


def _fail_each_step_of_a_checkpoint(
    client: Client, data_dir: Path, error: int, numbers: Iterator[int]
) -> tuple[int, int]:
    """Return how many steps it has, and how many of them ended it when they failed."""
    refused, fails_at = 0, 0
    while True:
        fails_at += 1
        repository = Store(data_dir / "repos", branch_files=label_files.BRANCHES).open("admin/demo")
        before = tips(data_dir)
        _, path, body = request = kinds()["target"](next(numbers))
        assert client.request(*request).status_code == 201
        moved = client.request(*kinds()["label"](next(numbers))).json
        with failing(data_dir, error, fails_at) as disk:
            try:
                repository.checkpoint()
            except StorageUnavailable:
                refused += 1
        where = f"checkpoint, step {fails_at}, {errno.errorcode[error]}"
        assert client.get(f"{path}/{body['target_name']}").status_code == 200, where
        assert f"{moved['commit']} commit\trefs/heads/{moved['name']}\n" in tips(data_dir)[repository.path], where
        assert tips(data_dir) != before, where
        if not disk.failed:
            return disk.steps, refused


def tips(data_dir: Path) -> dict[Path, str]:
    """Return where the branches and tags that the requests move are, which repos there are, and the users' files.

    The accounts have more than the users: a share is listed before the grant, which may then be refused.
    """
    found = dict.fromkeys((data_dir / "repos/admin").glob("*.git"), "")
    asked = {("", "accounts"): ("ls-tree", "HEAD", "users"), ("repos", "admin/demo"): ("for-each-ref",)}
    for (root, name), question in asked.items():
        repository = Store(data_dir / root, branch_files=label_files.BRANCHES).open(name)
        repository.checkpoint()
        found[repository.path] = git(repository.path, *question)  # maintenance may just pack the tags
    return found

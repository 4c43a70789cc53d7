"""Real repositories for the tests of `storage`, and git's own view of them."""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from storage.branches import BranchFiles
from storage.errors import TagExists
from storage.ids import CommitId
from storage.journal.file_engine import FileJournal
from storage.journal.journal_file import NAME
from storage.location import Location
from storage.plumbing.branch import Branch
from storage.plumbing.refs import Refs
from storage.repository import Repository
from storage.signatures import Person
from storage.store import Store
from storage.transaction import Transaction
from storage.waits import Waits

T = TypeVar("T")

_PATIENCE = 60  # seconds

ALICE = Person("Alice", "alice@example.org")
BOB = Person("Bob [ops]", "bob@work.example")

# Files that stand for branches: `labels/<branch>`, which holds nothing but a commit.
PLAIN = BranchFiles("labels", "label", lambda entry: entry, lambda data: CommitId(data.decode()))

HAND = ("-c", "user.name=Hand", "-c", "user.email=hand@example.org")  # options of git: who commits by hand


def first_commit(transaction: Transaction) -> None:
    transaction.write("README.md", b"# demo\n")
    transaction.commit("Create repo\n", ALICE)


def put(path: str, data: bytes, subject: str = "Change") -> Callable[[Transaction], str]:
    """Return a change that writes a file and commits."""

    def change(transaction: Transaction) -> str:
        transaction.write(path, data)
        return transaction.commit(f"{subject} {path}\n", ALICE)

    return change


def checkpointed(repository: Repository, change: Callable[[Transaction], T]) -> T:
    """Make a change and checkpoint it, so that git has it in a pack of its own."""
    result = repository.transact(change)
    repository.checkpoint()
    return result


def branch(repository: Repository) -> Branch:
    """Return the branch of a repository, for functions of maintenance that take one."""
    return Branch(Refs(Location(repository.name, repository.path)))


def increment(transaction: Transaction) -> int:
    """Add one to a number in a file: lost updates show."""
    file = transaction.read("counter")
    value = int(file.data) + 1 if file else 1
    transaction.write("counter", b"%d\n" % value)
    transaction.commit(f"Count {value}\n", ALICE)
    return value


def increment_many(root: str, times: int) -> list[int]:
    """Call `increment` several times, for a process of its own."""
    repository = Store(Path(root)).open("alice/demo")
    return [repository.transact(increment) for _ in range(times)]


def create_tags(root: str, names: list[str]) -> list[str]:
    """Create tags on the tip, in another process, and return those that were not there."""
    repository = Store(Path(root)).open("alice/demo")
    created = []
    for name in names:
        with suppress(TagExists):
            created.append(repository.create_tag(name, repository.head().commit, ALICE, f"{name}\n").name)
    return created


def commit_at(path: Path, times: Sequence[int]) -> list[str]:
    """Put commits on the branch by hand, made at these times, and return their ids."""
    stream = "".join(
        "commit refs/heads/main\n"
        f"committer Hand <hand@example.org> {time} +0000\n"
        "data 0\n"
        + ("from refs/heads/main^0\n" if number == 0 else "")
        + f"M 100644 inline by-hand\ndata <<END\n{number}\nEND\n\n"
        for number, time in enumerate(times)
    )
    git(path, "fast-import", "--quiet", stdin=stream)
    return git(path, "rev-list", "--reverse", f"--max-count={len(times)}", "--topo-order", "main").split()


def settle(folder: Path) -> None:
    """Wait until each repository below a folder is checkpointed, so that git has all commits."""
    deadline = time.monotonic() + _PATIENCE
    for path in folder.rglob(NAME):
        journal = FileJournal(Location(path.parent.stem, path.parent), Waits())
        lock = path.parent / "refs/heads/main.lock"
        while not journal.head().is_empty or lock.exists():
            assert time.monotonic() < deadline, f"{path.parent} has no checkpoint"
            time.sleep(0.001)


def git(path: Path, *arguments: str, stdin: str = "") -> str:
    """Wait for the checkpoint of a repository, and return git's output; CalledProcessError if git fails."""
    for named in (path, *(Path(argument) for argument in arguments if argument.endswith(".git"))):
        settle(named)
    command = ["git", "-C", str(path), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True, text=True).stdout


def heads(path: Path) -> dict[str, str]:
    """Return the commits that the branches of a repository are on, by name, as git sees them."""
    listed = git(path, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
    return dict(line.split() for line in listed.splitlines())


def unpack(repository: Path, path: str) -> Path:
    """Unpack all objects of a repository into loose ones, and return the file of a path on the branch."""
    version = git(repository, "rev-parse", f"main:{path}").strip()
    for pack in (repository / "objects/pack").glob("*.pack"):
        pack.with_suffix(".idx").unlink()
        content = pack.read_bytes()
        pack.unlink()
        subprocess.run(["git", "-C", repository, "unpack-objects", "-q"], input=content, check=True)
    return repository / "objects" / version[:2] / version[2:]


def two_alike(transaction: Transaction) -> list[str]:
    """Commit until two ids start with the same 4 digits, and return these two."""
    seen: dict[str, str] = {}
    while True:
        increment(transaction)
        commit = str(transaction.tip)
        if commit[:4] in seen:
            return [seen[commit[:4]], commit]
        seen[commit[:4]] = commit


def off_the_branch(repository: Repository, *options: str) -> str:
    """Return a commit that no branch leads to."""
    command = ("commit-tree", "main^{tree}", "-m", "Stray", *options)
    return git(repository.path, *HAND, *command).strip()


def commit_files(files: dict[str, bytes | None], author: Person = BOB) -> Callable[[Transaction], str]:
    """Return a change that writes files, removes those given as None, and commits."""

    def change(transaction: Transaction) -> str:
        for path, data in files.items():
            if data is None:
                transaction.remove(path)
            else:
                transaction.write(path, data)
        return transaction.commit("Change\n", author)

    return change


def run_together(count: int, task: Callable[[int], Any]) -> list[Any]:
    """Run a task in `count` threads that start at once, and return the results by number of thread."""
    barrier = threading.Barrier(count)

    def start(number: int) -> object:
        barrier.wait()
        return task(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))

"""Real repositories for the tests of `storage`, and git's own view of them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from git import Actor

from storage.store import Store
from storage.transaction import Transaction

ALICE = Actor("Alice", "alice@example.org")


def first_commit(transaction: Transaction) -> None:
    transaction.write("README.md", b"# demo\n")
    transaction.commit("Create repo\n", ALICE)


def put(path: str, data: bytes, subject: str = "Change") -> Callable[[Transaction], str]:
    """Return a change that writes a file and commits."""

    def change(transaction: Transaction) -> str:
        transaction.write(path, data)
        return transaction.commit(f"{subject} {path}\n", ALICE)

    return change


def increment(transaction: Transaction) -> int:
    """Add one to a number in a file: lost updates show."""
    file = transaction.read("counter")
    value = int(file.data) + 1 if file else 1
    transaction.write("counter", b"%d\n" % value)
    transaction.commit(f"Count {value}\n", ALICE)
    return value


def increment_many(root: str, times: int) -> list[int]:
    """Do so in another process."""
    repository = Store(Path(root)).open("alice/demo")
    return [repository.transact(increment) for _ in range(times)]


def git(path: Path, *arguments: str) -> str:
    """Return what git says of a repository; CalledProcessError if it fails."""
    done = subprocess.run(["git", "-C", str(path), *arguments], capture_output=True, check=True, text=True)
    return done.stdout

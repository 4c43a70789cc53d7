"""Taking a history from a bundle, or from another repository, into a new folder, and checking what came.

Nothing that comes is trusted: git checks each object as it comes, and runs no hook and no command of the source.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from storage.budget import Limits
from storage.journal.checkpoint_task import NoCheckpointer
from storage.journal.journal_file import NAME
from storage.location import Location
from storage.machine import git_command
from storage.plumbing.refs import BRANCH
from storage.repository import Repository
from storage.shared import Shared
from storage.transaction import Transaction

_MOST_REFS = 10_000
_LONGEST_LINE = 300
_OPTIONS = {
    "transfer.fsckObjects": "true",
    "fetch.unpackLimit": "1",  # keep the pack, and make no file of each object
    "core.bigFileThreshold": "1m",  # read larger objects in pieces: they may be packed a thousandfold
    "core.hooksPath": "/dev/null",
    "protocol.allow": "never",
    "protocol.file.allow": "always",
    "gc.auto": "0",
}


def fetch(location: Location, source: Path) -> list[str]:
    """Make a repository of a bundle's, or another repository's, branch `main` and tags; return what is wrong.

    The repository is at `location` only where nothing is wrong. Commits that only a journal has are put into
    git's files of the source first.
    """
    if (source / NAME).exists():
        Repository(Location(source.name, source), Shared(checkpointer=NoCheckpointer())).checkpoint()
    location.folder.mkdir()
    branch = Path(BRANCH).name
    git_command.run(location, "init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}")
    listed = _attempt(location, "ls-remote", str(source))
    if isinstance(listed, list):
        return listed
    refs = [line.partition("\t")[2] for line in listed.splitlines()]
    if len(refs) > _MOST_REFS:
        return [f"it has {len(refs)} refs, and {_MOST_REFS} are allowed"]
    if BRANCH not in refs:
        return [f"it has no branch {branch}"]
    wanted = [
        f"+{BRANCH}:{BRANCH}",
        *(["+refs/tags/*:refs/tags/*"] if any("refs/tags/" in ref for ref in refs) else []),
    ]
    if (source / "shallow").exists() or (source / ".git/shallow").exists():
        return ["it is a shallow clone, without the versions that targets were made from"]
    fetched = _attempt(location, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(source), *wanted)
    return fetched if isinstance(fetched, list) else []


def too_large(location: Location, largest: int, total: int) -> Iterator[str]:
    """Yield what is larger than allowed in a repository that was fetched: a file, or all files together."""
    options = ("--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectsize) %(objectname)")
    size = 0
    for line in git_command.run(location, "cat-file", *options).splitlines():
        kind, digits, name = line.split()
        size += int(digits) if kind == "blob" else 0
        if kind != "tree" and int(digits) > largest:
            yield f"{name}: this {kind} has {digits} bytes, and {largest} are allowed"
    if size > total:
        yield f"its files come to {size} bytes, and {total} are allowed"


def merges(location: Location) -> int:
    """Return how many commits of the branch have several parents: the history of a repository is one line."""
    return int(git_command.run(location, "rev-list", "--min-parents=2", "--count", BRANCH))


def edit(location: Location, change: Callable[[Transaction], object], limits: Limits) -> None:
    """Change a repository that was fetched, before anybody else sees it."""
    repository = Repository(location, Shared(checkpointer=NoCheckpointer(), limits=limits))
    repository.transact(change)
    repository.checkpoint()


def _attempt(location: Location, *command: str) -> str | list[str]:
    """Return what a git command prints, or what it finds wrong, a line each."""
    options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
    status, output, errors = git_command.attempt(location, *command, options=options)
    if status == 0:
        return output.decode("utf-8", "replace")
    lines = errors.decode("utf-8", "replace").replace(str(location.folder), "").splitlines()
    return [line[:_LONGEST_LINE] for line in lines if line] or [f"git {command[0]} ends with status {status}"]

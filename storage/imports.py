"""Taking a history from a bundle, or from another repository, into a new folder.

Nothing that comes is trusted. git gets the pack of a bundle alone, as a stream of bytes: it never gets the path of
what came, which could lead to any repository of the machine. A folder is made into a bundle first.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.budget import Limits
from storage.bundle_file import read_header
from storage.errors import RepositoryDamaged, StorageUnavailable
from storage.journal.checkpoint_task import NoCheckpointer
from storage.journal.journal_file import NAME
from storage.location import Location
from storage.machine import git_command
from storage.plumbing import transport
from storage.plumbing.refs import BRANCH, TAGS
from storage.repository import Repository
from storage.shared import Shared
from storage.transaction import Transaction

_OPTIONS = {
    "core.bigFileThreshold": "1m",  # read larger objects in pieces: they may be packed a thousandfold
    "pack.threads": "1",
}
_MEMORY = 512 * 1024 * 1024  # bytes: git has the whole of an object in memory that a delta makes
_SECONDS = 600  # of a core
_INDEX = 64 * 1024 * 1024  # bytes: of the most objects that a bundle may have
_WAIT = 30.0  # seconds
_NO_BRANCH = f"it has no branch {Path(BRANCH).name}"
_one = threading.Lock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one import of this process run, since each may take much memory; StorageUnavailable if that lasts."""
    if not _one.acquire(timeout=_WAIT):
        raise StorageUnavailable("import", "another import is under way")
    try:
        yield
    finally:
        _one.release()


def take_folder(location: Location, source: Path, tag_problem: Callable[[str], str | None]) -> list[str]:
    """Make a repository of another one's branch `main` and tags; return what is wrong, as `take_bundle` does.

    Commits that only a journal has are put into git's files of the source first.
    """
    folder = git_command.find_repository(source.name, source)
    if (folder / "shallow").exists():
        return ["it is a shallow clone, without the versions that targets were made from"]
    if (source / NAME).exists():
        Repository(Location(source.name, source), Shared(checkpointer=NoCheckpointer())).checkpoint()
    try:
        git_command.run(Location(source.name, folder), "rev-parse", "--verify", "--quiet", BRANCH)
    except RepositoryDamaged:
        return [_NO_BRANCH]
    bundle = location.folder.parent / "bundle"
    pieces = transport.bundle(folder, BRANCH, "--tags")
    with bundle.open("xb") as file:
        for piece in pieces:
            file.write(piece)
    return take_bundle(location, bundle, tag_problem)


def take_bundle(location: Location, bundle: Path, tag_problem: Callable[[str], str | None]) -> list[str]:
    """Make a repository of a bundle's branch `main` and tags; return what is wrong.

    The repository is at `location` only where nothing is wrong. `tag_problem` returns what is wrong with the name
    of a tag, or None.
    """
    with bundle.open("rb") as file:
        try:
            header = read_header(file)
        except ValueError as error:
            return [str(error)]
        if BRANCH not in header.refs:
            return [_NO_BRANCH]
        tags = {ref: commit for ref, commit in header.refs.items() if ref.startswith(f"{TAGS}/")}
        problems = [(ref, tag_problem(ref.removeprefix(f"{TAGS}/"))) for ref in tags]
        wrong = [f"{ref}: the name of a tag {problem}" for ref, problem in problems if problem]
        if wrong:
            return wrong
        location.folder.mkdir()
        git_command.run(location, "init", "--quiet", "--bare", "--template=", f"--initial-branch={Path(BRANCH).name}")
        size = bundle.stat().st_size
        file.seek(header.size)
        options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
        bounds = git_command.Bounds(memory=_MEMORY, file=size + _INDEX, seconds=_SECONDS)
        command = ("index-pack", "--stdin", f"--max-input-size={size}")
        if git_command.feed(location, *command, options=options, stdin=file, bounds=bounds) != 0:
            return ["its pack is damaged, or has objects that take too much memory or time"]
    commands = [f"create {ref} {named}\n" for ref, named in sorted((tags | {BRANCH: header.refs[BRANCH]}).items())]
    status, _, _ = git_command.attempt(location, "update-ref", "--no-deref", "--stdin", stdin="".join(commands))
    return ["its refs name objects that it does not have, or its branch main no commit"] if status else []


def read_tags(location: Location) -> None:
    """Raise RepositoryDamaged where a tag cannot be read as those of a repository are."""
    Repository(location, Shared(checkpointer=NoCheckpointer())).tags()


def edit(location: Location, change: Callable[[Transaction], object], limits: Limits) -> None:
    """Change a repository that was taken, before anybody else sees it."""
    repository = Repository(location, Shared(checkpointer=NoCheckpointer(), limits=limits))
    repository.transact(change)
    repository.checkpoint()

"""The errors of storage. Each has the names and reasons of its message as attributes."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The system has too many files or processes, or too little memory, for now.
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)


class StorageError(Exception):
    """Base of everything that `storage` raises on purpose."""


class RepositoryNotFound(StorageError):
    """There is no repository of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Repo '{name}' not found")
        self.name = name


class RepositoryExists(StorageError):
    """There is a repository of that name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Repository '{name}' already exists")
        self.name = name


class NameTaken(StorageError):
    """A folder has an entry whose name differs from the new one only in case."""

    def __init__(self, name: str, existing: str) -> None:
        super().__init__(f"The name '{name}' differs from the existing '{existing}' only in case; choose another name")
        self.name = name
        self.existing = existing


class RevisionNotFound(StorageError):
    """The history of a repository has no such commit, tag or time."""

    def __init__(self, repository: str, revision: str, reason: str) -> None:
        super().__init__(f"'{revision}' is not in the history of repo '{repository}': {reason}")
        self.repository = repository
        self.revision = revision


class RevisionAmbiguous(StorageError):
    """An abbreviated commit id could be any of several."""

    def __init__(self, repository: str, revision: str, count: int) -> None:
        super().__init__(f"'{revision}' could be any of {count} commits of repo '{repository}'; give more digits")
        self.repository = repository
        self.revision = revision


class TagExists(StorageError):
    """A repository has a tag of that name."""

    def __init__(self, repository: str, name: str) -> None:
        super().__init__(f"Repo '{repository}' already has a tag '{name}', and a tag stays: choose another name")
        self.repository = repository
        self.name = name


class BranchExists(StorageError):
    """A repository has a branch whose name is in the way; `kind` says what it is called."""

    def __init__(self, repository: str, name: str, existing: str, kind: str = "branch") -> None:
        super().__init__(
            f"Repo '{repository}' has a {kind} '{existing}', beside which there can be no '{name}': choose another name"
        )
        self.repository = repository
        self.name = name
        self.existing = existing


class RepositoryDamaged(StorageError):
    """The folder is not as Bakehouse and git wrote it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Repository '{name}' is damaged: {reason}")
        self.name = name
        self.reason = reason


class StorageUnavailable(StorageError):
    """The disk refused to read or write: full, read-only, or failing."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The storage of '{name}' does not answer: {reason}")
        self.name = name
        self.reason = reason


class TooLarge(StorageError):
    """A change would write more than it may: into one file, `path`, or where that is None into all together."""

    def __init__(self, path: str | None, size: int, limit: int) -> None:
        what = "What this request reads or writes" if path is None else f"'{path}'"
        ask = "Send it in smaller parts" if path is None else "Make it smaller"
        super().__init__(f"{what} comes to {size} bytes or more, and {limit} are allowed. {ask}")
        self.path = path
        self.size = size
        self.limit = limit


class LayoutUnknown(StorageError):
    """Another version of Bakehouse wrote a repository, in a layout that this version does not know."""

    def __init__(self, name: str, path: str, found: object, known: int) -> None:
        self.reason = f"{path}: its layout is {found!r}, and this Bakehouse knows {known}"
        super().__init__(f"Repository '{name}' needs another version of Bakehouse ({self.reason})")
        self.name = name
        self.found = found
        self.known = known


class TipMoved(StorageUnavailable):
    """Somebody else has written to the repository since its tip was read."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "another program has just changed the repository")


@contextmanager
def explained(name: str, folder: Path) -> Iterator[None]:
    """Raise an OSError about `folder`, or a MemoryError, as an error of storage about the repository `name`."""
    try:
        yield
    except OSError as error:
        if _is_missing(folder):
            raise RepositoryNotFound(name) from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
            raise RepositoryDamaged(name, "a part of its folder is missing") from error
        raise StorageUnavailable(name, error.strerror or "input/output error") from error
    except MemoryError as error:
        raise StorageUnavailable(name, "the server has too little memory for now") from error


def _is_missing(folder: Path) -> bool:
    """Tell whether there is no such folder. A folder that may not be looked at is not missing."""
    try:
        folder.stat()
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    return False

"""What `git log` prints about commits and the files that each changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from storage.comparisons import FileChange
from storage.ids import BlobId, CommitId
from storage.versions import NO_BLOB

LOG = ("log", "--first-parent", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=tformat:%x01%H")


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit and the files that it changed."""

    commit: CommitId
    files: list[FileChange]


def parse_log(text: str) -> Iterator[LoggedCommit]:
    """Yield the commits in the output of `LOG`, and the files that each changed."""
    logged: LoggedCommit | None = None
    tokens = iter(text.split("\0"))
    for token in tokens:
        if token.startswith("\x01"):
            if logged:
                yield logged
            logged = LoggedCommit(CommitId(token[1:]), [])
        elif token and logged:
            _, _, old, new, _ = token.split()
            logged.files.append(FileChange(next(tokens), _blob(old), _blob(new)))
    if logged:
        yield logged


def _blob(digits: str) -> BlobId | None:
    return None if digits == NO_BLOB else BlobId(digits)

"""What happened in a repository: which commits changed which files.

Git finds the commits that changed a path, with the filters in its commit-graph, in a second or
less for 100,000 commits; what it found is kept, and only what came since is asked anew.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from cachetools import LRUCache

from storage import process
from storage.line import Line
from storage.tip import Tip

_NO_BLOB = "0" * 40
_REMEMBERED = 1_000_000  # versions, of all paths
_RAW = ("--first-parent", "--raw", "-z", "--no-abbrev", "--no-renames")
# No tree holds these; git fails for some, and takes others for another path.
_NO_PATH = re.compile(r"\0|(?:^|/)\.{0,2}(?:/|$)")


@dataclass(frozen=True, slots=True)
class Version:
    """What a commit made of a file: its blob id (40 hex digits), or None where it took the file away."""

    commit: str
    blob: str | None


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that a commit changed: its blob ids before and after, None where it was not there."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit (40 hex digits) and the files that it changed."""

    commit: str
    files: list[FileChange]


class History:
    """The history of one repository. Threads may share one."""

    def __init__(self, tip: Tip, git_folder: Path, line: Line) -> None:
        self._tip = tip
        self._git_folder = git_folder
        self._line = line
        self._lock = Lock()
        self._versions: LRUCache[str, tuple[str, list[tuple[int, str | None]]]] = LRUCache(
            _REMEMBERED, lambda entry: 10 + len(entry[1])
        )

    def versions(self, path: str, commit: str) -> list[Version]:
        """Return what became of a file up to a commit of the line, newest first."""
        last = self._line.position(commit)
        assert last is not None
        known = self._known(path, commit, last)
        return [Version(self._line.commit(at), blob) for at, blob in reversed(known) if at <= last]

    def log(
        self, start: int, stop: int, author: str | None, path: str | None, limit: int
    ) -> list[LoggedCommit]:
        """Return commits from the one at `start` back to the one at `stop`, newest first.

        Only those by an author (a part of the name or address, in any case) or to a path, a file
        or folder; `limit` at most.
        """
        options = [f"--max-count={limit}"]
        if author is not None:
            if re.search(r"[\n\0]", author):  # in nobody's name; git takes lines for alternatives
                return []
            options += ["--regexp-ignore-case", "--fixed-strings", f"--author={author}"]
        return list(self._ask(start, stop, options, path))

    def _known(self, path: str, commit: str, last: int) -> Sequence[tuple[int, str | None]]:
        with self._lock:
            through, known = self._versions.get(path, ("", []))
        reached = self._line.position(through) if through else -1
        if reached is None:  # somebody rewrote the history
            reached, known = -1, []
        if reached < last:
            known = known + list(self._new_versions(last, reached + 1, path))[::-1]
            with self._lock:
                if 10 + len(known) <= self._versions.maxsize:
                    self._versions[path] = (commit, known)
        return known

    def _new_versions(self, start: int, stop: int, path: str) -> Iterator[tuple[int, str | None]]:
        for logged in self._ask(start, stop, (), path):
            position = self._line.position(logged.commit)
            assert position is not None
            for file in logged.files:
                if file.path == path:  # and no file in a folder that had the same name
                    yield position, file.new

    def _ask(self, start: int, stop: int, options: Sequence[str], path: str | None) -> Iterator[LoggedCommit]:
        if path is not None and _NO_PATH.search(path.removesuffix("/")):
            return iter(())
        exclude = [f"^{self._line.commit(stop - 1)}"] if stop > 0 else []
        revisions = (self._line.commit(start), *exclude, "--", *([] if path is None else [path]))
        self._tip.publish()
        return read_log(self._tip.name, self._git_folder, *options, *revisions)


def read_log(name: str, folder: Path, *arguments: str) -> Iterator[LoggedCommit]:
    """Yield the commits that `git log` lists with some arguments, and the files that each changed."""
    command = ("log", *_RAW, "--format=tformat:%x01%H", *arguments)
    return _parse(process.run(name, folder, *command))


def _parse(text: str) -> Iterator[LoggedCommit]:
    """Read the output of `git log --raw -z`."""
    logged: LoggedCommit | None = None
    tokens = iter(text.split("\0"))
    for token in tokens:
        if token.startswith("\x01"):
            if logged:
                yield logged
            logged = LoggedCommit(token[1:], [])
        elif token and logged:
            _, _, old, new, _ = token.split()
            logged.files.append(FileChange(next(tokens), _blob(old), _blob(new)))
    if logged:
        yield logged


def _blob(object_id: str) -> str | None:
    return None if object_id == _NO_BLOB else object_id

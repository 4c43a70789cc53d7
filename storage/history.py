"""The history of a repository: which commits changed which files.

git finds the commits that changed a path in a second or less among 100,000, by the filters in its
commit-graph. The result is kept, and git is asked for later commits only.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.ancestry import Ancestry
from storage.caches import Cache
from storage.ids import BlobId, CommitId, ObjectId, blob_id, object_id
from storage.objects.reader import ObjectReader
from storage.plumbing.checked_git import CheckedGit
from storage.plumbing.trees import Tree
from storage.signatures import Signature
from storage.versions import NO_BLOB, NOTHING, Known, Version

LOG = ("log", "--first-parent", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=tformat:%x01%H")

_FEW = 16  # paths; one git process for each is quicker than one for all
# No file has such a path. git fails for some of these, and takes some for another path.
_NO_PATH = re.compile(r"\0|(?:^|/)\.{0,2}(?:/|$)")


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that a commit changed: its blob ids before and after; None where there was no file."""

    path: str
    old: BlobId | None
    new: BlobId | None


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit and the files that it changed."""

    commit: CommitId
    files: list[FileChange]


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which commits a log shows: those that pass all filters that are set.

    A new filter is a field here. A text that the commit itself must contain is also a row in `_texts`.
    """

    author: str | None = None  # a part of the author's name or address, in upper or lower case
    since: datetime | None = None  # the commit's time, at the earliest
    until: datetime | None = None  # the commit's time, at the latest
    path: str | None = None  # a file, or a folder, that the commit changed something in

    def _texts(self, found: Signature | None = None) -> Iterator[tuple[str, str, str]]:
        """Yield an option of `git log`, the text that it looks for, and where: in a part of a signature."""
        rows = [
            ("--author", self.author, f"{found.name} <{found.email}>" if found else ""),
        ]
        yield from ((option, wanted, text) for option, wanted, text in rows if wanted is not None)

    @property
    def is_impossible(self) -> bool:
        """Whether no commit can pass: git fails for such a path, and takes the lines of a text for several texts."""
        is_no_path = self.path is not None and _NO_PATH.search(self.path.removesuffix("/"))
        return bool(is_no_path) or any(re.search(r"[\n\0]", wanted) for _, wanted, _ in self._texts())

    def git_options(self) -> list[str]:
        """Return the options of `git log` that look for the texts in upper or lower case, in old commits."""
        options = [f"{option}={wanted}" for option, wanted, _ in self._texts()]
        return ["--regexp-ignore-case", "--fixed-strings", *options] if options else []

    def accepts(self, commit: bytes) -> bool:
        """Tell whether the content of a commit object has the texts: so the commits of the journal are asked."""
        if not any(self._texts()):
            return True
        found = Signature.parse(commit)
        return all(wanted.lower() in text.lower() for _, wanted, text in self._texts(found))


EVERYTHING = LogFilter()


class History:
    """The history of one repository. Threads may share one."""

    def __init__(
        self,
        objects: ObjectReader,
        ancestry: Ancestry,
        git: CheckedGit,
        cache: Cache[tuple[str, str], Known],
    ) -> None:
        self._objects = objects
        self._ancestry = ancestry
        self._git = git
        self._cache = cache

    def versions(self, path: str, commit: CommitId) -> list[Version]:
        """Return the versions of a file up to a commit of the ancestry, newest first."""
        last = self._position(commit)
        known = self._know(path, commit, last)
        count = bisect_right(known.positions, last)
        return [
            Version(self._ancestry.id_at(known.positions[number]), known.blob(number))
            for number in reversed(range(count))
        ]

    def know(self, paths: Sequence[str], commit: CommitId) -> None:
        """Learn the versions of many files up to a commit of the ancestry from one git process.

        git finds the commits of one path by filters, and of several paths by looking at each commit and each path.
        So a few paths are left to `versions`, and for more, git lists the files of all commits.
        """
        last = self._position(commit)
        kept = {path: self._kept(path) for path in paths}
        reached = {path: at for path, (_, at) in kept.items() if at < last}
        if len(reached) <= _FEW:
            return
        news: dict[str, list[tuple[int, BlobId | None]]] = {path: [] for path in reached}
        for logged in self.log(EVERYTHING, newest=last, oldest=min(reached.values()) + 1):
            position = self._position(logged.commit)
            for file in logged.files:
                if position > reached.get(file.path, last):
                    news[file.path].append((position, file.new))
        for path, new in news.items():
            self._keep(path, kept[path][0].extended(commit, new[::-1]))

    def since(self, path: str, blob: BlobId, commit: CommitId) -> Iterator[Version]:
        """Yield the versions of a file from the newest one that has a content, up to a commit, back to the first."""
        last = self._position(commit)
        known = self._know(path, commit, last)
        for number in range(known.find(blob, bisect_right(known.positions, last)), -1, -1):
            yield Version(self._ancestry.id_at(known.positions[number]), known.blob(number))

    def log(
        self, wanted: LogFilter, *, newest: int, oldest: int = 0, limit: int | None = None
    ) -> Iterator[LoggedCommit]:
        """Yield the commits between two positions that pass a filter, newest first, `limit` at most.

        Commits that only the journal has are read from memory. So a log needs no checkpoint, which
        a full disk would refuse.
        """
        if wanted.until is not None:
            newest = min(newest, self._ancestry.count_until(wanted.until.timestamp()) - 1)
        if wanted.since is not None:
            oldest = max(oldest, self._ancestry.count_until(math.ceil(wanted.since.timestamp()) - 1))
        if newest < oldest or wanted.is_impossible:
            return
        in_git = self._ancestry.last_checkpointed()
        found = 0
        for logged in self._from_journal(wanted, newest, max(oldest, in_git + 1)):
            if found == limit:
                return
            found += 1
            yield logged
        newest = min(newest, in_git)
        if newest >= oldest and found != limit:
            yield from self._ask_git(wanted, newest, oldest, None if limit is None else limit - found)

    def _know(self, path: str, commit: CommitId, last: int) -> Known:
        known, reached = self._kept(path)
        if reached < last:
            known = known.extended(commit, list(self._new_versions(path, newest=last, oldest=reached + 1))[::-1])
            self._keep(path, known)
        return known

    def _kept(self, path: str) -> tuple[Known, int]:
        """Return the versions of a file that are known, and the position up to which they are; -1: none are."""
        known = self._cache.get((str(self._git.location.folder), path)) or NOTHING
        reached = self._ancestry.position(known.through) if known.through else -1
        if reached is None:  # an operator rewrote the history
            return NOTHING, -1
        return known, reached

    def _keep(self, path: str, known: Known) -> None:
        self._cache.put((str(self._git.location.folder), path), known, known.size)

    def _position(self, commit: CommitId) -> int:
        position = self._ancestry.position(commit)
        assert position is not None
        return position

    def _new_versions(self, path: str, *, newest: int, oldest: int) -> Iterator[tuple[int, BlobId | None]]:
        for logged in self.log(LogFilter(path=path), newest=newest, oldest=oldest):
            for file in logged.files:
                if file.path == path:  # not a file in a folder that had the same name
                    yield self._position(logged.commit), file.new

    def _from_journal(self, wanted: LogFilter, newest: int, oldest: int) -> Iterator[LoggedCommit]:
        """Yield what `log` does, of commits that git's own files do not have yet."""
        path = wanted.path
        for position in range(newest, oldest - 1, -1):
            commit = self._ancestry.id_at(position)
            if not wanted.accepts(self._objects.read(object_id(commit))[1]):
                continue
            header = self._objects.header(object_id(commit))
            before = self._objects.header(object_id(header.parent)).tree if header.parent else None
            changes = _changes(self._objects, "", before, header.tree)
            files = [change for change in changes if path is None or _is_at(change.path, path)]
            if files or path is None:
                yield LoggedCommit(commit, files)

    def _ask_git(self, wanted: LogFilter, newest: int, oldest: int, limit: int | None) -> Iterator[LoggedCommit]:
        options = wanted.git_options() + ([] if limit is None else [f"--max-count={limit}"])
        exclude = [f"^{self._ancestry.id_at(oldest - 1)}"] if oldest > 0 else []
        paths = [] if wanted.path is None else [wanted.path]
        revisions = (self._ancestry.id_at(newest), *exclude, "--", *paths)
        return parse_log(self._git.ask(*LOG, *options, *revisions))


def _changes(objects: ObjectReader, folder: str, old: ObjectId | None, new: ObjectId | None) -> Iterator[FileChange]:
    """Yield the files that differ between two trees, in the order of their paths."""
    before, after = (Tree() if tree is None else objects.tree(tree) for tree in (old, new))
    for name, old_id, new_id, is_folder in after.changed_since(before):
        if is_folder:
            yield from _changes(objects, f"{folder}{name}/", old_id, new_id)
        else:
            old_blob, new_blob = (None if entry is None else blob_id(entry) for entry in (old_id, new_id))
            yield FileChange(f"{folder}{name}", old_blob, new_blob)


def _is_at(path: str, wanted: str) -> bool:
    """Tell whether a file has the wanted path, or is in the wanted folder."""
    return path == wanted or path.startswith(f"{wanted.removesuffix('/')}/")


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

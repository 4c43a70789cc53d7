"""The history of a repository: which commits changed which files.

git finds the commits that changed a path in a second or less among 100,000, by the filters in its
commit-graph. The result is kept, and git is asked for later commits only.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain, count, islice

from storage import moments, reason_search
from storage.ancestry import Ancestry
from storage.caches import Cache
from storage.comparisons import changes
from storage.git_log import LOG, LoggedCommit, parse_log
from storage.ids import BlobId, CommitId, object_id
from storage.last_changes import LastChanges
from storage.log_filter import EVERYTHING, LogFilter
from storage.objects.reader import ObjectReader
from storage.plumbing.checked_git import CheckedGit
from storage.signatures import USER, Person, Signature
from storage.versions import NOTHING, Known, Version

_FEW = 16  # paths; one git process for each is quicker than one for all


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
        self._first_naming: CommitId | None = None
        self._last_changes = LastChanges(ancestry)

    def versions(self, path: str, commit: CommitId) -> list[Version]:
        """Return the versions of a file up to a commit of the ancestry, newest first."""
        known, count = self._until(path, commit)
        numbers = reversed(range(count))
        return [Version(self._ancestry.id_at(known.positions[number]), known.blob(number)) for number in numbers]

    def at(self, path: str, commits: Collection[CommitId]) -> dict[CommitId, BlobId]:
        """Return the version of a file at those of some commits of the ancestry that have the file."""
        if not commits:
            return {}
        known, _ = self._until(path, max(commits, key=self._position))
        counts = {commit: bisect_right(known.positions, self._position(commit)) for commit in commits}
        versions = {commit: known.blob(count - 1) for commit, count in counts.items() if count}
        return {commit: version for commit, version in versions.items() if version}

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
        logged_commits = self.log(EVERYTHING, newest=last, oldest=min(reached.values()) + 1)
        for position, logged in zip(count(last, -1), logged_commits, strict=False):  # each commit, one after the other
            for file in logged.files:
                if position > reached.get(file.path, last):
                    news[file.path].append((position, file.new))
        for path, new in news.items():
            self._keep(path, kept[path][0].extended(commit, new[::-1]))

    def last_positions(self, paths: Sequence[str], commit: CommitId) -> dict[str, int]:
        """Return the position of the last commit, up to a commit, that changed each file, without those of none."""

        def log(newest: int, oldest: int) -> Iterator[LoggedCommit]:
            return self.log(EVERYTHING, newest=newest, oldest=oldest)

        return self._last_changes.find(paths, self._position(commit), log)

    def since(self, path: str, blob: BlobId, commit: CommitId) -> Iterator[Version]:
        """Yield the versions of a file from the newest one that has a content, up to a commit, back to the first."""
        known, count = self._until(path, commit)
        for number in range(known.find(blob, count), -1, -1):
            yield Version(self._ancestry.id_at(known.positions[number]), known.blob(number))

    def log(
        self, wanted: LogFilter, *, newest: int, oldest: int = 0, limit: int | None = None
    ) -> Iterator[LoggedCommit]:
        """Yield the commits between two positions that pass a filter, newest first, `limit` at most.

        Commits that only the journal has are read from memory. So a log needs no checkpoint, which
        a full disk would refuse.
        """
        newest, oldest = self.span(wanted, newest, oldest)
        if newest < oldest:
            return
        begin = self._begin_of_users(newest) if isinstance(wanted.author, Person) else 0
        yield from islice(
            chain(
                self._log(wanted, newest, max(oldest, begin), limit, names_users=True),
                self._log(wanted, min(newest, begin - 1), oldest, limit, names_users=False),
            ),
            limit,
        )

    def span(self, wanted: LogFilter, newest: int, oldest: int = 0) -> tuple[int, int]:
        """Return the newest and oldest position that may pass a filter; the newest comes first where none may."""
        if wanted.until is not None:
            newest = min(newest, self._ancestry.count_until(moments.of(wanted.until)) - 1)
        if wanted.since is not None:
            oldest = max(oldest, self._ancestry.count_until(moments.of(wanted.since) - 1))
        return (-1, 0) if wanted.is_impossible else (newest, oldest)

    def test_of_texts(self, wanted: LogFilter, newest: int) -> Callable[[int], bool] | None:
        """Return a test of the author and message of commits, by position; None where a filter asks for none."""
        if not wanted.has_texts:
            return None
        begin = self._begin_of_users(newest) if isinstance(wanted.author, Person) else 0

        def accepts(position: int) -> bool:
            commit = self._objects.read(object_id(self._ancestry.id_at(position)))[1]
            try:
                return wanted.accepts(commit, names_users=position >= begin)
            except ValueError:  # somebody made a commit without an author by hand
                return False

        return accepts

    def _log(
        self, wanted: LogFilter, newest: int, oldest: int, limit: int | None, *, names_users: bool
    ) -> Iterator[LoggedCommit]:
        if newest < oldest:
            return
        in_git = self._ancestry.last_checkpointed()
        yield from self._from_journal(wanted, newest, max(oldest, in_git + 1), names_users)
        newest = min(newest, in_git)
        if newest >= oldest:
            options = wanted.git_options(names_users=names_users)
            if wanted.reason is None:
                yield from self._ask_git(options, wanted.pathspecs(), newest, oldest, limit)
            else:
                yield from self._with_reason(wanted, options, newest, oldest, limit)

    def _with_reason(
        self, wanted: LogFilter, options: list[str], newest: int, oldest: int, limit: int | None
    ) -> Iterator[LoggedCommit]:
        paths = wanted.pathspecs()

        def revisions_before(commit: CommitId | None) -> Sequence[str] | None:
            last = newest if commit is None else self._position(commit) - 1
            return None if last < oldest else (*self._revisions(last, oldest), "--", *paths)

        for found in reason_search.find(self._git, wanted, options, revisions_before, limit):
            if found:
                command = (*LOG, "--no-walk=unsorted", *found[:limit], "--", *paths)
                yield from parse_log(self._git.ask(*command, options=["--no-literal-pathspecs"]))

    def _begin_of_users(self, newest: int) -> int:
        """Return the position of the first commit whose trailers name a user; behind `newest` if none does.

        Commits by hand are among the later ones, so each commit by itself does not tell.
        """
        if self._names_user(0):
            return 0
        if self._first_naming is None or self._ancestry.position(self._first_naming) is None:
            in_git = min(newest, self._ancestry.last_checkpointed())
            command = ("rev-list", "--first-parent", "--reverse", f"--grep=^{USER}: ", self._ancestry.id_at(in_git))
            # A message by hand may have such a line, too; the trailers of the commit decide.
            listed = map(self._position, map(CommitId, self._git.ask(*command).split()))
            first = next(filter(self._names_user, chain(listed, range(in_git + 1, newest + 1))), None)
            if first is None:
                return newest + 1
            self._first_naming = self._ancestry.id_at(first)
        position = self._ancestry.position(self._first_naming)
        assert position is not None
        return position

    def _names_user(self, position: int) -> bool:
        return Signature.parse(self._objects.read(object_id(self._ancestry.id_at(position)))[1]).user is not None

    def _until(self, path: str, commit: CommitId) -> tuple[Known, int]:
        """Return the versions of a file, and how many of them are no later than a commit."""
        last = self._position(commit)
        known, reached = self._kept(path)
        if reached < last:
            known = known.extended(commit, list(self._new_versions(path, newest=last, oldest=reached + 1))[::-1])
            self._keep(path, known)
        return known, bisect_right(known.positions, last)

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

    def _from_journal(self, wanted: LogFilter, newest: int, oldest: int, names_users: bool) -> Iterator[LoggedCommit]:
        """Yield what `log` does, of commits that git's own files do not have yet."""
        for position in range(newest, oldest - 1, -1):
            commit = self._ancestry.id_at(position)
            if not wanted.accepts(self._objects.read(object_id(commit))[1], names_users=names_users):
                continue
            header = self._objects.header(object_id(commit))
            before = self._objects.header(object_id(header.parent)).tree if header.parent else None
            found = changes(self._objects, before, header.tree)
            files = [change for change in found if wanted.has_path(change.path)]
            if files or wanted.path is None:
                yield LoggedCommit(commit, files)

    def _ask_git(
        self, options: list[str], paths: list[str], newest: int, oldest: int, limit: int | None
    ) -> Iterator[LoggedCommit]:
        most = [] if limit is None else [f"--max-count={limit}"]
        revisions = (*self._revisions(newest, oldest), "--", *paths)
        return parse_log(self._git.ask(*LOG, *options, *most, *revisions, options=["--no-literal-pathspecs"]))

    def _revisions(self, newest: int, oldest: int) -> Sequence[str]:
        exclude = [f"^{self._ancestry.id_at(oldest - 1)}"] if oldest > 0 else []
        return self._ancestry.id_at(newest), *exclude

"""Repositories and clones that anybody may have made: they are read, and never written."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from types import TracebackType

from storage.block_file import NoBlockFile
from storage.errors import RepositoryDamaged
from storage.git_log import LOG, LoggedCommit, parse_log
from storage.ids import BlobId, CommitId
from storage.journal.checkpoint_task import NoCheckpointer
from storage.journal.no_journal import NoJournal
from storage.location import Location
from storage.machine import disk, git_command
from storage.objects.database import ObjectDatabase
from storage.plumbing import checked_git
from storage.plumbing.branch import Branch
from storage.plumbing.refs import BRANCH as BRANCH
from storage.plumbing.refs import HEADS as HEADS
from storage.plumbing.refs import TAGS as TAGS
from storage.plumbing.refs import Refs
from storage.repository import Repository
from storage.shared import Shared
from storage.snapshot import Snapshot
from storage.waits import Waits

_WAITS = Waits(seconds=600.0)  # maintenance of a large repository takes minutes


class _Head(Branch):
    """Where HEAD of a clone is, on whatever branch, for as long as the clone is read."""

    def __init__(self, refs: Refs, commit: CommitId) -> None:
        super().__init__(refs)
        self._commit = commit

    def find(self) -> CommitId:
        """Return the commit."""
        return self._commit

    def is_locked(self) -> bool:
        """Tell that no lock is in the way of reading."""
        return False


class Clone:
    """A git repository, bare or not, on any branch. Leaving the context ends the git process that reads it."""

    def __init__(self, name: str, path: Path) -> None:
        """Open the repository at `path`.

        Raises RepositoryNotFound if there is none, RepositoryDamaged if its configuration cannot be read.
        """
        self.name, self._path = name, path
        self._git_folder = git_command.find_repository(name, path)
        self._location = Location(name, self._git_folder)
        self._objects = ObjectDatabase(self._location)

    def __enter__(self) -> "Clone":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._objects.close()

    def head(self, ref: str = "HEAD") -> Snapshot:
        """Return the files of the commit that a ref names; RepositoryDamaged if it names none."""
        try:
            commit = self._run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").strip()
        except RepositoryDamaged as error:
            raise RepositoryDamaged(self.name, f"its {ref} names no commit") from error
        return self.at(CommitId(commit))

    def repository(self, check: Callable[[Snapshot], None]) -> Repository:
        """Return the clone as a repository that ends at HEAD and refuses every change; nothing is written for it.

        `check` raises LayoutUnknown for files that the caller does not know how to use.
        """
        at_path = Location(self.name, self._path)  # HEAD of a worktree is not that of the clone
        try:
            commit = git_command.run(at_path, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
        except RepositoryDamaged as error:
            raise RepositoryDamaged(self.name, "its HEAD names no commit") from error

        def branch(refs: Refs) -> Branch:
            return _Head(refs, CommitId(commit))

        shared = Shared(
            check=check, checkpointer=NoCheckpointer(), engine=NoJournal, branch=branch, block_file=NoBlockFile
        )
        return Repository(self._location, shared)

    def origin(self) -> str | None:
        """Return the address that the clone was made from, or None."""
        status, printed, _ = git_command.attempt(self._location, "config", "--get", "remote.origin.url")
        return printed.decode("utf-8", "replace").strip() if status == 0 else None

    def root(self, commit: CommitId) -> Snapshot:
        """Return the files of the first commit of a history."""
        return self.at(CommitId(self._run("rev-list", "--first-parent", "--max-parents=0", commit).strip()))

    def at(self, commit: CommitId) -> Snapshot:
        """Return the files of a commit."""
        return Snapshot(self._objects, commit)

    def is_on(self, ref: str) -> bool:
        """Tell whether HEAD names a ref, byte for byte as git writes it."""
        return (self._git_folder / "HEAD").read_bytes() == f"ref: {ref}\n".encode()

    def is_shallow(self) -> bool:
        """Tell whether a clone has only a part of the history."""
        return self._run("rev-parse", "--is-shallow-repository").strip() == "true"

    def blobs(self, commit: CommitId) -> Mapping[str, Mapping[BlobId, LoggedCommit]]:
        """Return the blob ids that each path ever had up to a commit, each with the last commit that set it."""
        found: defaultdict[str, dict[BlobId, LoggedCommit]] = defaultdict(dict)
        for logged in parse_log(self._run(*LOG, commit)):
            for file in logged.files:
                if file.new is not None:
                    found[file.path].setdefault(file.new, logged)
        return found

    def line(self, commit: CommitId) -> Set[CommitId]:
        """Return the commits of the history that ends with a commit."""
        return set(map(CommitId, self._run("rev-list", "--first-parent", commit).split()))

    def refs(self, folder: str) -> Mapping[str, str]:
        """Return the ids that the refs in a folder such as `refs/tags` name, by their names in the folder."""
        lines = self._run("for-each-ref", "--format=%(objectname) %(refname)", folder).splitlines()
        found = (line.split(" ", 1) for line in lines)
        return {ref.removeprefix(f"{folder}/"): named for named, ref in found}

    def misnamed_tags(self) -> Mapping[str, str]:
        """Return the annotated tags whose object has another name than their ref, with that other name."""
        listed = self._run("for-each-ref", "--format=%(refname:lstrip=2)%00%(tag)", "refs/tags")
        names = (line.split("\0") for line in listed.split("\n") if line)
        return {name: borne for name, borne in names if borne not in ("", name)}

    def fsck(self) -> list[str]:
        """Return the faults that git finds in objects and refs, a line each."""
        command = ("fsck", "--full", "--strict", "--no-dangling", "--no-progress")
        with disk.exclusive(self._git_folder / "objects", _WAITS):  # so that maintenance removes no pack
            status, *printed = git_command.attempt(self._location, *command)
        lines = b"".join(printed).decode("utf-8", "replace").splitlines()
        return lines or ([f"it ends with status {status}"] if status else [])

    def damaged_files(self) -> list[str]:
        """Return git's files whose checksums are wrong; `git fsck` does not check all kinds."""
        with disk.exclusive(self._git_folder / "objects", _WAITS):
            found = checked_git.damaged_files(self._git_folder)
        return [str(path.relative_to(self._git_folder)) for path in found]

    def _run(self, *arguments: str) -> str:
        return git_command.run(self._location, *arguments)

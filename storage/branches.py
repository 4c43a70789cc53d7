"""Branches beside `main`: each stands for a file of the repository, and is on the commit that the file names."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from storage.errors import BranchExists, RepositoryDamaged, StorageUnavailable
from storage.ids import CommitId, object_id
from storage.location import Location
from storage.machine import disk, git_command
from storage.objects.reader import ObjectReader
from storage.plumbing.refs import HEADS, Refs
from storage.snapshot import Snapshot
from storage.transaction import Transaction

# git holds a lock for milliseconds, and waits so long for another's. A lock that is older was left by a crash.
_STALE_AFTER_SECONDS = 5.0
_WAITING = ("-c", "core.filesRefLockTimeout=1000", "-c", "core.packedRefsTimeout=1000")  # milliseconds

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BranchFiles:
    """The files that stand for branches, all in one `folder`; where that is empty, there are none.

    `name` returns the branch of an entry of the folder, or None where the entry stands for none. `commit` returns
    the commit that the content of a file names, or None where it names none. `kind` is what errors call a branch.
    """

    folder: str = ""
    kind: str = "branch"
    name: Callable[[str], str | None] = lambda _: None
    commit: Callable[[bytes], CommitId | None] = lambda _: None

    def among(self, paths: Iterable[str]) -> list[str]:
        """Return those of some paths that are in the folder."""
        return [path for path in paths if path.startswith(f"{self.folder}/")] if self.folder else []


class Branches:
    """The branches of one repository that stand for files."""

    def __init__(self, location: Location, refs: Refs, objects: ObjectReader, files: BranchFiles) -> None:
        self._location = location
        self._refs = refs
        self._objects = objects
        self._files = files

    def among(self, paths: Iterable[str]) -> list[str]:
        """Return those of some paths that stand for branches."""
        return self._files.among(paths)

    def of(self, snapshot: Snapshot) -> Iterator[tuple[str, CommitId]]:
        """Yield the branches that the files of a commit stand for, each with the commit that it belongs on."""
        for entry in snapshot.list(self._files.folder) if self._files.folder else ():
            name, file = self._files.name(entry), snapshot.read(f"{self._files.folder}/{entry}")
            commit = self._files.commit(file.data) if name and file else None
            if name and commit:
                yield name, commit

    def refuse(self, name: str, tip: Snapshot | Transaction, pending: Collection[str]) -> None:
        """Raise BranchExists where a new file may not stand for a branch of a name.

        `pending` are files whose branches a checkpoint is going to put where they belong, or to remove. Those that
        the writes before a transaction changed count, too, though the journal does not have them yet.
        """
        self.refuse_tag(name, tip)
        ref = f"{HEADS}/{name}"
        earlier = self.among(tip.changed_before()) if isinstance(tip, Transaction) else ()
        is_ours = any(self._name(path) == name for path in (*pending, *earlier))
        existing = ref if not is_ours and self._refs.exists(ref) else self._refs.below(ref)
        if existing is not None:
            raise BranchExists(self._location.name, name, existing.removeprefix(f"{HEADS}/"))

    def refuse_tag(self, name: str, tip: Snapshot | Transaction) -> None:
        """Raise BranchExists where a file stands for a branch of a name, or of one that differs only in case."""
        for entry in tip.list(self._files.folder) if self._files.folder else ():
            existing = self._files.name(entry)
            if existing is not None and existing.lower() == name.lower():
                raise BranchExists(self._location.name, name, existing, self._files.kind)

    def put(self, tip: CommitId, paths: Iterable[str] | None = None) -> None:
        """Put the branches of some files where the files at the tip say, durably; remove those without a file.

        Where `paths` is None, all files at the tip count. The caller holds the repository. git does the work, since
        its locks keep `git pack-refs` away, and it removes branches from `packed-refs`, too.
        """
        snapshot = Snapshot(self._objects, tip)
        if paths is None:
            paths = [f"{self._files.folder}/{entry}" for entry in snapshot.list(self._files.folder)]
        commands = {ref: command for path in paths for ref, command in self._command(snapshot, path)}
        if not commands:
            return
        for lock in (*(f"{ref}.lock" for ref in commands), "packed-refs.lock"):
            self._remove_if_stale(lock)
        stdin = "".join(f"{command}\n" for _, command in sorted(commands.items()))
        command = ("update-ref", "--no-deref", "--stdin")
        status, _, errors = git_command.attempt(self._location, *command, stdin=stdin, options=_WAITING)
        if status != 0:
            _log.error("%s: git update-ref fails: %s", self._location.name, errors.decode("utf-8", "replace").strip())
            raise StorageUnavailable(self._location.name, "git cannot move a branch, perhaps because of a lock on it")
        disk.sync(self._location.folder / HEADS)
        disk.sync(self._location.folder)  # for packed-refs

    def _command(self, snapshot: Snapshot, path: str) -> Iterator[tuple[str, str]]:
        """Yield the ref of a file's branch, and what `git update-ref` is to do; nothing where the branch is right."""
        name = self._name(path)
        if name is None:
            return
        ref, file = f"{HEADS}/{name}", snapshot.read(path)
        found = self._refs.read(ref)
        if file is None:
            if found is not None:
                yield ref, f"delete {ref}"
            return
        commit = self._files.commit(file.data)
        if commit is None or commit == found:
            return
        problem = self._problem(ref, commit)
        if problem is None:
            yield ref, f"update {ref} {commit}"
        else:
            _log.warning("%s: %s has no branch: %s", self._location.name, path, problem)

    def _name(self, path: str) -> str | None:
        return self._files.name(path.rpartition("/")[2])

    def _problem(self, ref: str, commit: CommitId) -> str | None:
        """Return why git could not have a branch on a commit, or None: somebody may have written a file by hand."""
        below = self._refs.below(ref)
        if below is not None:
            return f"there is {below}"
        try:
            self._objects.header(object_id(commit))
        except RepositoryDamaged:
            return f"there is no commit {commit}"
        return None

    def _remove_if_stale(self, lock: str) -> None:
        path = self._location.folder / lock
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _STALE_AFTER_SECONDS:
                path.unlink()

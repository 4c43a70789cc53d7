"""Repositories as anybody may hold them, clones among them: read, and never written."""

import subprocess
from collections import defaultdict
from collections.abc import Mapping, Set
from pathlib import Path
from types import TracebackType

import git

from storage import disk, process
from storage.errors import RepositoryDamaged, RepositoryNotFound
from storage.history import LOG, parse_log
from storage.objects import ObjectDatabase
from storage.snapshot import Snapshot
from storage.waits import Waits

_WAITS = Waits(seconds=600.0)  # maintenance of a large repository takes minutes


class Clone:
    """A git repository, bare or not, on whatever branch it is. It ends the git process that it reads with."""

    def __init__(self, name: str, path: Path) -> None:
        """Open what lies at `path`; RepositoryNotFound if that is no git repository."""
        self.name = name
        try:
            self._git = git.Repo(path, odbt=ObjectDatabase, expand_vars=False)
        except (git.NoSuchPathError, git.InvalidGitRepositoryError) as error:
            raise RepositoryNotFound(name) from error
        self._git.git.update_environment(**process.environment())
        self._git_folder = Path(self._git.common_dir)

    def __enter__(self) -> "Clone":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._git.close()

    def head(self) -> Snapshot:
        """Return what lies in the commit that is checked out; RepositoryDamaged if there is none."""
        objects = self._git.odb
        assert isinstance(objects, ObjectDatabase)
        objects.name = self.name
        try:
            commit = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
        except RepositoryDamaged as error:
            raise RepositoryDamaged(self.name, "its HEAD names no commit") from error
        return Snapshot(objects, commit)

    def is_shallow(self) -> bool:
        """Tell whether its history was cut off when it was cloned."""
        return self._run("rev-parse", "--is-shallow-repository").strip() == "true"

    def blobs(self, commit: str) -> Mapping[str, Set[str]]:
        """Return the blob ids (40 hex digits) that each path ever had, up to a commit."""
        found = defaultdict(set)
        for logged in parse_log(self._run(*LOG, commit)):
            for file in logged.files:
                if file.new is not None:
                    found[file.path].add(file.new)
        return found

    def fsck(self) -> list[str]:
        """Return what git finds wrong with its objects and refs, a line each."""
        command = ["git", "fsck", "--full", "--strict", "--no-dangling", "--no-progress"]
        with disk.exclusive(
            self._git_folder / "objects", _WAITS
        ):  # maintenance would take packs away meanwhile
            done = subprocess.run(
                command,
                cwd=self._git_folder,
                env=process.environment(),
                capture_output=True,
                text=True,
                errors="replace",
            )
        lines = (done.stdout + done.stderr).splitlines()
        return lines or ([f"it ends with status {done.returncode}"] if done.returncode else [])

    def _run(self, *arguments: str) -> str:
        return process.run(self.name, self._git_folder, *arguments)

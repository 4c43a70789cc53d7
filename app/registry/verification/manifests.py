"""The check of the manifests of runs: each is where it belongs, and tells a key that follows from what went in."""

from collections.abc import Iterator, Mapping, Set
from functools import cached_property, partial

from app.domain import manifests
from app.registry import documents
from app.registry.configs import target_files
from app.registry.verification.findings import FOREIGN, Check
from storage.clones import Clone
from storage.ids import CommitId
from storage.snapshot import File, Snapshot


class ManifestChecks:
    """The checks of the files of manifests."""

    def __init__(self, clone: Clone, snapshot: Snapshot) -> None:
        self._clone = clone
        self._snapshot = snapshot

    def of_folders(self) -> Mapping[str, Check]:
        """Return the checks of all manifests, by the folder of each target that has any."""
        folders = [f"{manifests.FOLDER}/{name}" for name in self._snapshot.list(manifests.FOLDER)]
        return {folder: partial(self._check, folder) for folder in folders}

    def _check(self, folder: str, entry: str, file: File) -> Iterator[str]:
        path = f"{folder}/{entry}"
        if manifests.name_of(path) is None:
            yield f"its name is none of a run's: {manifests.FORM}"
            return
        document = documents.parse(self._snapshot, path, file)
        try:
            manifest = manifests.parse(document)
        except ValueError as error:
            yield str(error)
            return
        if manifest.path != path:
            yield f"by its kind, target and key it belongs at {manifest.path}"
        yield from self._check_commit(CommitId(manifest.commit), manifest.target)
        if not documents.is_written(manifest.document(), file.data):
            yield FOREIGN

    def _check_commit(self, commit: CommitId, target: str) -> Iterator[str]:
        if commit not in self._history:
            yield f"its commit {commit} is not in the history"
        elif self._clone.at(commit).version(target_files.FOLDER.path(target)) is None:
            yield f"at its commit {commit} there is no target '{target}'"

    @cached_property
    def _history(self) -> Set[CommitId]:
        return self._clone.line(self._snapshot.commit)

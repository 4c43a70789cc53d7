"""The commit that changed each of many files last."""

from collections.abc import Mapping, Sequence

from storage.ids import CommitId
from storage.repository import Repository


def of_files(repository: Repository, paths: Sequence[str], commit: CommitId) -> Mapping[str, CommitId]:
    """Return for each file that is there at a commit the last commit, up to that one, which changed the file."""
    repository.know_versions(paths, commit)
    return {path: repository.versions(path, commit)[0].commit for path in paths}

"""Many files are read with few git processes, and never much more of them than is asked for."""

from collections.abc import Iterator

import pytest

from storage.location import Location
from storage.objects.database import ObjectDatabase
from storage.plumbing.object import GitObject
from storage.repository import Repository
from storage.snapshot import Snapshot
from tests.seams import count_processes
from tests.storage.repositories import checkpointed, commit_files

MEGABYTE = 1024 * 1024


def count_bytes(patch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the size of each object that this process takes from git."""
    sizes: list[int] = []
    original = GitObject.of

    def of(kind: str, data: bytes) -> GitObject:
        sizes.append(len(data))
        return original(kind, data)

    patch.setattr(GitObject, "of", of)
    return sizes


@pytest.fixture
def cold(repository: Repository) -> Iterator[ObjectDatabase]:
    """Objects of which none is in memory."""
    database = ObjectDatabase(Location(repository.name, repository.path))
    yield database
    database.close()


def test_large_files_are_read_one_megabyte_ahead(
    repository: Repository, cold: ObjectDatabase, monkeypatch: pytest.MonkeyPatch
):
    files = {f"targets/t{number:03}.yml": b"%03d" % number + b"x" * 300_000 for number in range(100)}
    commit = checkpointed(repository, commit_files(dict(files)))
    sizes = count_bytes(monkeypatch)
    asked = 0
    for path, file in zip(files, Snapshot(cold, commit).read_all([*files, "targets/none.yml"]), strict=False):
        assert file is not None
        assert file.data == files[path]
        asked += len(file.data)
        assert sum(sizes) < 1.3 * asked + MEGABYTE + 300_000  # the last of a megabyte is cut off, and read again


def test_small_files_are_read_with_few_processes_the_first_ones_alone(
    repository: Repository, cold: ObjectDatabase, monkeypatch: pytest.MonkeyPatch
):
    files = {f"targets/t{number:04}.yml": b"%04d" % number * 50 for number in range(2000)}
    commit = checkpointed(repository, commit_files(dict(files)))
    snapshot = Snapshot(cold, commit)
    sizes, processes = count_bytes(monkeypatch), count_processes(monkeypatch)
    found = snapshot.read_all([*files, "targets/none.yml"])
    next(found)
    assert sizes.count(200) == 1
    rest = [file and file.data for file in found]
    assert rest == [*list(files.values())[1:], None]
    assert sizes.count(200) == 2000
    assert len(processes) < 12

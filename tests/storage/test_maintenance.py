"""Rolling up packs while others read and write."""

import random
import threading
from pathlib import Path

import pytest

from storage import disk, maintenance
from storage.maintenance import pack_sizes, roll_up
from storage.repository import Repository
from storage.store import Store
from tests.storage.repositories import git, put


def test_small_packs_become_one(repository: Repository):
    for number in range(20):
        repository.transact(put(f"targets/{number}", b"%d" % number))
    assert len(pack_sizes(repository.path)) == 21
    assert roll_up(repository._branch) == 21
    assert len(pack_sizes(repository.path)) == 1
    assert roll_up(repository._branch) == 0
    assert git(repository.path, "fsck", "--strict") == ""
    assert repository.head().read("targets/7").data == b"7"


def test_a_large_pack_is_left_alone(repository: Repository):
    repository.transact(put("large", random.Random(1).randbytes(500_000)))
    assert roll_up(repository._branch) == 2
    (large,) = pack_sizes(repository.path)
    for number in range(5):
        repository.transact(put("small", b"%d" % number))
    assert roll_up(repository._branch) == 5
    assert large in pack_sizes(repository.path)
    assert len(pack_sizes(repository.path)) == 2


def test_objects_that_nothing_names_yet_stay(repository: Repository):
    """A flush whose ref has not moved yet must find its objects after a roll-up."""
    blob = repository._objects.add("blob", b"not named by any ref")
    repository._objects.flush("0" * 40)
    repository.transact(put("a", b"1"))
    roll_up(repository._branch)
    assert git(repository.path, "cat-file", "blob", blob.hex()) == "not named by any ref"


def test_it_starts_by_itself_beside_readers_and_writers(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(maintenance, "ROLL_UP_ABOVE", 10)
    other = Store(tmp_path).open("alice/demo")
    stop = threading.Event()
    failures: list[Exception] = []

    def read() -> None:
        while not stop.is_set():
            try:
                other.head().read("README.md")
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        repository.transact(put("a", b"%d" % number))
    stop.set()
    reader.join()
    assert not failures
    with disk.exclusive(repository.path / "objects"):  # fsck takes a pack that goes for one that is lost
        assert len(pack_sizes(repository.path)) < 60
        assert git(repository.path, "fsck", "--strict") == ""
    assert git(repository.path, "rev-list", "--count", "main").strip() == "61"

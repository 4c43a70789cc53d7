"""The identity of a repository: one for each, whoever asks first, and the same after a move."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage import identity
from storage.errors import RepositoryDamaged, RepositoryNotFound
from storage.location import Location


@pytest.fixture
def location(tmp_path: Path) -> Location:
    folder = tmp_path / "demo.git"
    folder.mkdir()
    return Location("demo", folder)


def test_a_repository_gets_one_identity_whoever_asks_first(location: Location):
    assert identity.read(location) is None
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: identity.ensure(location), range(64)))
    assert found == {identity.read(location)}
    assert [path.name for path in location.folder.iterdir()] == [identity.FILE]


def test_the_identity_moves_with_the_folder_and_is_no_other_repository_s(location: Location, tmp_path: Path):
    first = identity.ensure(location)
    moved = Location("other", location.folder.rename(tmp_path / "other.git"))
    location.folder.mkdir()
    assert identity.ensure(moved) == first
    assert identity.ensure(location) != first


@pytest.mark.parametrize("text", ["", "0123", "g" * 32, "0" * 33, "é" * 16])
def test_a_damaged_identity_is_damage_and_stays(location: Location, text: str):
    (location.folder / identity.FILE).write_text(text)
    with pytest.raises(RepositoryDamaged, match="bakehouse-id"):
        identity.ensure(location)
    assert (location.folder / identity.FILE).read_text() == text


def test_a_repository_that_is_gone_has_none(tmp_path: Path):
    with pytest.raises(RepositoryNotFound):
        identity.ensure(Location("gone", tmp_path / "gone.git"))

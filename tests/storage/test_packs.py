"""Packs are what git takes for packs."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.packs import GitObject, read_pack, write_pack

OBJECTS = st.lists(
    st.builds(GitObject.of, st.sampled_from(["blob", "tag"]), st.binary(max_size=5000)),
    min_size=1,
    max_size=8,
    unique_by=lambda item: item.id,
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path)], check=True)
    return tmp_path


@given(OBJECTS)
def test_a_pack_gives_back_its_objects(tmp_path_factory, objects):
    folder = tmp_path_factory.mktemp("packs")
    name = write_pack(folder, objects)
    assert read_pack((folder / f"{name}.pack").read_bytes()) == objects


def test_git_verifies_and_reads_a_pack(repository: Path):
    objects = [GitObject.of("blob", content) for content in (b"", b"a", b"b" * 70, bytes(10_000))]
    folder = repository / "objects" / "pack"
    name = write_pack(folder, objects)
    subprocess.run(["git", "verify-pack", str(folder / f"{name}.idx")], check=True)
    for item in objects:
        shown = subprocess.run(
            ["git", "-C", str(repository), "cat-file", "blob", item.id.hex()], capture_output=True, check=True
        )
        assert shown.stdout == item.data


def test_a_large_tree_is_stored_as_it_is(repository: Path):
    tree = b"".join(b"100644 file-%05d\0" % number + bytes(20) for number in range(3000))
    item = GitObject.of("tree", tree)
    folder = repository / "objects" / "pack"
    name = write_pack(folder, [item])
    assert (folder / f"{name}.pack").stat().st_size > len(tree)
    assert read_pack((folder / f"{name}.pack").read_bytes()) == [item]


def test_the_same_objects_can_be_written_again(repository: Path):
    folder = repository / "objects" / "pack"
    objects = [GitObject.of("blob", b"twice")]
    assert write_pack(folder, objects) == write_pack(folder, objects)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("data", [b"", b"PACK\0\0\0\3\0\0\0\0", b"PACK\0\0\0\2\0\0\0\1\x60rest"])
def test_what_is_no_plain_pack_is_refused(data):
    with pytest.raises(ValueError, match="pack"):
        read_pack(data)

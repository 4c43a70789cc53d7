"""Packs are what git takes for packs."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.packs import GitObject, decode, encode, index_of

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
def test_a_pack_gives_back_its_objects_and_its_index(objects):
    pack, index = encode(objects)
    assert decode(pack) == objects
    assert index_of(pack) == index


def test_git_makes_the_same_index_and_reads_the_objects(repository: Path):
    contents = (b"", b"a", b"b" * 70, bytes(65_535), bytes(65_536), bytes(200_000))
    objects = [GitObject.of("blob", content) for content in contents]
    objects += [GitObject.of("blob", b"%d" % number) for number in range(1000)]
    pack, index = encode(objects)
    path = repository / "objects" / "pack" / "flush-1.pack"
    path.write_bytes(pack)
    subprocess.run(["git", "index-pack", str(path)], check=True, capture_output=True)
    assert path.with_suffix(".idx").read_bytes() == index
    for item in objects[:8]:
        shown = subprocess.run(
            ["git", "-C", str(repository), "cat-file", "blob", item.id.hex()], capture_output=True, check=True
        )
        assert shown.stdout == item.data


@given(OBJECTS, st.data())
def test_a_pack_that_was_cut_off_or_changed_is_refused(objects, data):
    pack, _ = encode(objects)
    cut = data.draw(st.integers(0, len(pack) - 1))
    changed = bytearray(pack)
    changed[cut] ^= 0x55
    for damaged in (pack[:cut], bytes(changed), pack[:cut] + bytes(len(pack) - cut)):
        if damaged != pack:
            with pytest.raises(ValueError, match="pack"):
                decode(damaged)


def test_a_pack_of_gits_with_deltas_is_refused(repository: Path):
    text = "".join(f"line {number}\n" for number in range(2000))
    for content in (text, text + "more\n"):
        subprocess.run(
            ["git", "-C", str(repository), "hash-object", "-w", "--stdin"],
            input=content.encode(),
            check=True,
            capture_output=True,
        )
    listed = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"],
        capture_output=True,
        check=True,
    ).stdout
    pack = subprocess.run(
        ["git", "-C", str(repository), "pack-objects", "--stdout"],
        input=listed,
        capture_output=True,
        check=True,
    ).stdout
    with pytest.raises(ValueError, match="deltas"):
        decode(pack)

"""Packs are what git takes for packs."""

import random
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.plumbing.object import GitObject
from storage.plumbing.packs import Delta, decode, encode

OBJECTS = st.lists(
    st.builds(GitObject.of, st.sampled_from(["blob", "tag"]), st.binary(max_size=5000)),
    min_size=1,
    max_size=8,
    unique_by=lambda item: item.id,
)


def blob(content: bytes) -> GitObject:
    return GitObject.of("blob", content)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path)], check=True)
    return tmp_path


@given(OBJECTS)
def test_a_pack_gives_back_its_objects(objects):
    pack, _ = encode(objects)
    assert decode(pack) == objects


VERSIONS = st.lists(st.binary(max_size=400) | st.binary(max_size=3).map(lambda few: few * 50_000), max_size=8)


@given(VERSIONS, st.randoms())
def test_a_pack_of_differences_gives_back_its_objects(contents, random):
    """Whichever of those before it each is told to be like."""
    objects = list({item.id: item for item in map(blob, contents)}.values())
    written: list[GitObject | Delta] = []
    for position, item in enumerate(objects):
        written.append(differing(item, random.choice(objects[:position])) if position and item.data else item)
    pack, _ = encode(written)
    assert decode(pack) == objects


def differing(item: GitObject, base: GitObject) -> Delta:
    return Delta.of(item.id, base.id, len(base.data), 0, base.data, item.data)


def test_git_makes_the_same_index_and_reads_the_objects(repository: Path):
    contents = (b"", b"a", b"b" * 70, bytes(65_535), bytes(65_536), bytes(200_000))
    objects = [blob(content) for content in contents]
    objects += [blob(b"%d" % number) for number in range(1000)]
    assert_git_reads(repository, objects, objects)


def test_git_reads_differences(repository: Path):
    """What grows, shrinks and begins anew; and copies of more than 16 MiB."""
    noise = random.Random(3)
    content = noise.randbytes(100_000)
    objects = [blob(b""), blob(content)]
    for number in range(60):
        start, end = sorted(noise.randrange(len(content)) for _ in range(2))
        content = content[:start] + b"%d" % number * noise.randrange(80) + content[min(end, start + 300) :]
        objects.append(blob(content))
    large = bytes(17_000_000) + content
    objects += [blob(large), blob(large + b"more"), blob(b"other" + large + b"more")]
    written = [objects[0], *(differing(item, base) for base, item in pairwise(objects))]
    pack = assert_git_reads(repository, objects, written)
    assert len(pack) < len(large) + 1_000_000


def assert_git_reads(repository: Path, objects: Sequence[GitObject], written: Sequence[GitObject | Delta]) -> bytes:
    """Expect git to make the same index of a pack, and to read from it what was put there; return it."""
    pack, index = encode(written)
    path = repository / "objects" / "pack" / "flush-1.pack"
    path.write_bytes(pack)
    subprocess.run(["git", "index-pack", str(path)], check=True, capture_output=True)
    assert path.with_suffix(".idx").read_bytes() == index
    asked = "".join(f"{item.id.hex()}\n" for item in objects).encode()
    command = ["git", "-C", str(repository), "cat-file", "--batch"]
    shown = subprocess.run(command, input=asked, capture_output=True, check=True).stdout
    assert shown == b"".join(
        b"%b blob %d\n%b\n" % (item.id.hex().encode(), len(item.data), item.data) for item in objects
    )
    return pack


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

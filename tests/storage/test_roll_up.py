"""Rolling up small packs into one: no object is lost, and large packs stay."""

import random

from storage.plumbing import pack_files
from storage.plumbing.object import GitObject
from storage.repository import Repository
from storage.roll_up import pack_sizes, roll_up
from tests.storage.repositories import branch, checkpointed, git, put


def test_roll_up_makes_one_pack_of_small_ones(repository: Repository):
    for number in range(20):
        checkpointed(repository, put(f"targets/{number}", b"%d" % number))
    assert len(pack_sizes(repository.path)) == 21
    assert roll_up(branch(repository)) == 21
    assert len(pack_sizes(repository.path)) == 1
    assert roll_up(branch(repository)) == 0
    assert git(repository.path, "fsck", "--strict") == ""
    assert repository.head().read("targets/7").data == b"7"


def test_roll_up_leaves_a_large_pack_alone(repository: Repository):
    checkpointed(repository, put("large", random.Random(1).randbytes(500_000)))
    assert roll_up(branch(repository)) == 2
    (large,) = pack_sizes(repository.path)
    for number in range(5):
        checkpointed(repository, put("small", b"%d" % number))
    assert roll_up(branch(repository)) == 5
    assert large in pack_sizes(repository.path)
    assert len(pack_sizes(repository.path)) == 2


def test_roll_up_removes_what_git_made_beside_the_packs(repository: Repository):
    """`git maintenance` and `git repack`, run by an operator, make files beside the packs."""
    for number in range(5):
        checkpointed(repository, put(f"targets/{number}", b"%d" % number))
    git(repository.path, "multi-pack-index", "write")
    git(repository.path, "repack", "-adq", "--write-bitmap-index")
    checkpointed(repository, put("large", random.Random(1).randbytes(5000)))
    git(repository.path, "multi-pack-index", "write", "--bitmap")
    assert roll_up(branch(repository)) == 2
    assert git(repository.path, "fsck", "--strict") == ""
    assert git(repository.path, "show", "main:targets/3") == "3"
    assert {path.suffix for path in (repository.path / "objects/pack").iterdir()} == {".idx", ".pack"}


def test_roll_up_leaves_a_pack_with_a_keep_file_alone(repository: Repository):
    checkpointed(repository, put("a", b"1"))
    git(repository.path, "repack", "-adq")
    (kept,) = pack_sizes(repository.path)
    (repository.path / "objects/pack" / kept).with_suffix(".keep").touch()
    checkpointed(repository, put("a", b"2"))
    checkpointed(repository, put("a", b"3"))
    assert roll_up(branch(repository)) == 2
    assert kept in pack_sizes(repository.path)
    assert git(repository.path, "fsck", "--strict") == ""


def test_roll_up_keeps_objects_that_no_ref_names_yet(repository: Repository):
    """A write whose ref has not moved yet must find its objects after a roll-up."""
    item = GitObject.of("blob", b"not named by any ref")
    with pack_files.write(repository.path / "objects/pack", [item]):
        checkpointed(repository, put("a", b"1"))
        roll_up(branch(repository))
    roll_up(branch(repository))
    assert git(repository.path, "cat-file", "blob", item.id.hex()) == "not named by any ref"

"""Tags made by Bakehouse and read by git, and the other way round."""

import multiprocessing
import os
import time
from itertools import chain, count
from pathlib import Path

import pytest

from storage.ancestry import Ancestry
from storage.errors import NameTaken, RepositoryDamaged, RevisionNotFound, TagExists
from storage.ids import CommitId, ObjectId
from storage.maintenance import write_commit_graph
from storage.plumbing import pack_files
from storage.plumbing.branch import Branch
from storage.plumbing.cat_file import CatFile
from storage.plumbing.commits import serialize_tag
from storage.plumbing.object import GitObject
from storage.plumbing.packed_refs import PackedRefs
from storage.repository import Repository
from storage.roll_up import pack_sizes, roll_up
from storage.signatures import Person
from storage.store import Store
from storage.tags import Tag
from tests.storage.repositories import (
    ALICE,
    HAND,
    branch,
    checkpointed,
    commit_at,
    create_tags,
    git,
    put,
    run_together,
)


def tag_tip(repository: Repository, name: str, message: str = "Stable\n") -> Tag:
    return repository.create_tag(name, repository.head().commit, ALICE, message)


def test_create_tag_makes_a_tag_that_git_reads(repository: Repository, tmp_path: Path):
    commit = repository.transact(put("a", b"1"))
    repository.transact(put("a", b"2"))
    tag = repository.create_tag("v1.0", commit, ALICE, "The first\n\nGood — for months.\n")
    assert git(repository.path, "cat-file", "-p", "v1.0") == (
        f"object {commit}\ntype commit\ntag v1.0\n"
        f"tagger Alice <alice@example.org> {tag.signature.time} +0000\n\n"
        "The first\n\nGood — for months.\n"
    )
    assert git(repository.path, "tag", "-n").split() == ["v1.0", "The", "first"]
    assert git(repository.path, "describe", commit) == "v1.0\n"
    assert git(repository.path, "fsck", "--strict") == ""
    git(tmp_path, "clone", "--quiet", str(repository.path), "clone")
    assert git(tmp_path / "clone", "show", "v1.0:a") == "1"


def test_tags_are_read_back(repository: Repository, tmp_path: Path):
    commit, before = repository.head().commit, int(time.time())
    tag = repository.create_tag("v1", commit, ALICE, "One\n")
    assert (tag.name, tag.commit) == ("v1", commit)
    signature = tag.signature
    assert (signature.name, signature.email, signature.message) == (ALICE.name, ALICE.email, "One\n")
    assert (signature.subject, before <= signature.time <= time.time()) == ("One", True)
    for reader in (repository, Store(tmp_path).open("alice/demo")):
        assert reader.tag("v1") == tag
        assert reader.tags() == [tag]
        assert reader.tag("v2") is None


def test_tags_are_listed_by_name(repository: Repository):
    assert repository.tags() == []
    for name in ("v2", "v10", "b.1", "A_a"):
        tag_tip(repository, name)
    git(repository.path, "pack-refs", "--all")
    tag_tip(repository, "v1")
    assert [tag.name for tag in repository.tags()] == ["A_a", "b.1", "v1", "v10", "v2"]


def test_a_tag_cannot_be_replaced(repository: Repository):
    tag = tag_tip(repository, "v1", "One\n")
    repository.transact(put("a", b"1"))
    for _ in range(2):
        with pytest.raises(TagExists) as caught:
            tag_tip(repository, "v1", "Another\n")
        assert (caught.value.repository, caught.value.name) == ("demo", "v1")
        with pytest.raises(NameTaken) as taken:
            tag_tip(repository, "V1")
        assert (taken.value.name, taken.value.existing) == ("V1", "v1")
        assert repository.tags() == [repository.tag("v1")] == [tag]
        git(repository.path, "pack-refs", "--all")
        assert not (repository.path / "refs/tags/v1").exists()
    assert git(repository.path, "fsck", "--strict") == ""


def test_create_tag_refuses_a_commit_off_the_branch(repository: Repository):
    for commit in ("0" * 40, git(repository.path, "rev-parse", "main^{tree}").strip()):
        with pytest.raises(RevisionNotFound):
            repository.create_tag("v1", commit, ALICE, "No\n")
    assert repository.tags() == []
    assert len(pack_sizes(repository.path)) == 1


def test_tags_made_by_hand_are_read(repository: Repository):
    first = repository.head().commit
    git(repository.path, "tag", "light")
    git(repository.path, *HAND, "tag", "-m", "By hand", "annotated")
    annotated, light = repository.tags()
    assert light == repository.tag("light") == Tag("light", first, None)
    assert (annotated.commit, annotated.signature.name, annotated.signature.message) == (
        first,
        "Hand",
        "By hand\n",
    )
    for name in ("light", "annotated"):
        with pytest.raises(TagExists):
            tag_tip(repository, name)


def test_tags_lists_only_tags_on_commits(repository: Repository):
    tag_tip(repository, "v1")
    blob, tree = (git(repository.path, "rev-parse", f"main{end}").strip() for end in (":README.md", "^{tree}"))
    for name, on in [("on-tag", "v1"), ("on-blob", blob), ("on-tree", tree)]:
        git(repository.path, *HAND, "tag", "-m", "By hand", name, on)
        git(repository.path, "tag", f"light-{name}", on)
    like_a_tag = serialize_tag("v1", repository.head().commit, ALICE, 0, "In a file\n").decode()
    blob = git(repository.path, "hash-object", "-w", "--stdin", stdin=like_a_tag).strip()
    git(repository.path, "tag", "file-like-a-tag", blob)
    git(repository.path, "tag", "nested/v1", "main")
    (repository.path / "refs/tags/v2.lock").write_text(repository.head().commit)
    # An annotated or lightweight tag on a tag is on the same commit.
    assert [tag.name for tag in repository.tags()] == ["light-on-tag", "on-tag", "v1"]
    for name in ("on-blob", "on-tree", "light-on-tree", "nested/v1", "v2.lock"):
        assert repository.tag(name) is None
    with pytest.raises(TagExists):
        tag_tip(repository, "on-tree")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../heads/main",
        "a/b",
        "/v1",
        "-v",
        ".v",
        "v..1",
        "v.",
        "v.lock",
        "v 1",
        "v1\n",
        "ä",
        "v~1",
        "v\0",
        "v" * 201,
    ],
)
def test_bad_tag_names_are_refused(repository: Repository, name: str):
    with pytest.raises(ValueError, match="cannot name a tag"):
        tag_tip(repository, name)
    assert repository.tag(name) is None
    assert repository.tags() == []


@pytest.mark.parametrize("name", ["v1", "1.0.0-rc.1", "a_b-c.d", "V", "v.locked", "v.lock.1", "0" * 40, "v" * 200])
def test_good_tag_names_are_accepted_by_git(repository: Repository, name: str):
    tag = tag_tip(repository, name)
    git(repository.path, "check-ref-format", f"refs/tags/{name}")
    assert git(repository.path, "tag", "--list") == f"{name}\n"
    assert repository.tag(name) == tag


def test_a_tagger_cannot_inject_lines_into_a_tag(repository: Repository):
    with pytest.raises(ValueError, match="cannot be the author"):
        repository.create_tag("v1", repository.head().commit, Person("A\nobject", "a@b"), "No\n")
    assert repository.tag("v1") is None
    assert len(pack_sizes(repository.path)) == 1


def test_of_many_threads_that_create_one_tag_one_succeeds(repository: Repository, tmp_path: Path):
    repositories = [repository, Store(tmp_path).open("alice/demo")]

    def create(number: int) -> Tag | None:
        try:
            return tag_tip(repositories[number % 2], "v1", f"By {number}\n")
        except TagExists:
            return None

    (winner,) = [tag for tag in run_together(16, create) if tag]
    assert repository.tags() == [winner]
    assert git(repository.path, "cat-file", "tag", "v1").endswith(winner.signature.message)
    assert git(repository.path, "fsck", "--strict") == ""


def test_each_tag_is_created_by_one_of_two_processes(repository: Repository, tmp_path: Path):
    names = [f"v{number}" for number in range(20)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        created = pool.starmap(create_tags, [(str(tmp_path), names)] * 2, chunksize=1)
    assert sorted(chain.from_iterable(created)) == sorted(names)
    assert sorted(tag.name for tag in repository.tags()) == sorted(names)
    assert git(repository.path, "fsck", "--strict") == ""


def test_maintenance_keeps_tags(repository: Repository, tmp_path: Path):
    for number in range(5):
        checkpointed(repository, put("a", b"%d" % number))
        tag_tip(repository, f"v{number}")
    listed = repository.tags()
    assert roll_up(branch(repository)) == 11
    write_commit_graph(branch(repository))
    assert len(pack_sizes(repository.path)) == 1
    assert repository.tags() == Store(tmp_path).open("alice/demo").tags() == listed
    git(repository.path, "gc", "--quiet", "--prune=now")
    assert repository.tags() == Store(tmp_path).open("alice/demo").tags() == listed
    assert git(repository.path, "fsck", "--strict") == ""


def test_a_kill_before_a_tag_has_its_name_leaves_only_an_object(repository: Repository, tmp_path: Path):
    commit = repository.head().commit
    killed = serialize_tag("v1", commit, ALICE, 1_700_000_000, "Killed\n")
    item = GitObject.of("tag", killed)
    with pack_files.write(repository.path / "objects/pack", [item]):
        pass
    assert git(repository.path, "fsck", "--strict") == f"dangling tag {item.id.hex()}\n"
    after = Store(tmp_path).open("alice/demo")
    assert after.tags() == []
    tag = tag_tip(after, "v1")
    assert repository.tag("v1") == tag
    roll_up(branch(after))
    assert git(repository.path, "fsck", "--strict") == f"dangling tag {item.id.hex()}\n"


@pytest.mark.parametrize("packed", [False, True])
def test_a_tag_may_not_be_named_like_the_folder_of_another(repository: Repository, packed: bool):
    """git keeps refs as files, so no ref can have both names."""
    git(repository.path, "tag", "release/1.0")
    if packed:
        git(repository.path, "pack-refs", "--all")
    with pytest.raises(TagExists, match=r"already has a tag 'release/1\.0'"):
        tag_tip(repository, "release")
    assert checkpointed(repository, put("a", b"1"))
    git(repository.path, "tag", "--delete", "release/1.0")
    assert tag_tip(repository, "release") == repository.tag("release")


@pytest.mark.usefixtures("no_checkpoints")
def test_a_tag_that_was_answered_replaces_one_of_another_program(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """It was answered first, and had to wait for room on the disk. The log says so."""
    first = repository.head().commit
    later = checkpointed(repository, put("a", b"1"))
    with monkeypatch.context() as patch:
        patch.setattr(pack_files, "write", no_room)
        tag = repository.create_tag("v1", first, ALICE, "One\n")
    (repository.path / "refs/tags/v1").write_text(f"{later}\n")
    assert repository.tag("v1") == tag
    repository.checkpoint()
    assert repository.tag("v1") == tag
    assert git(repository.path, "rev-parse", "v1^{commit}").strip() == first
    assert f"refs/tags/v1 names {later}" in caplog.text


def no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_tag_is_made_though_an_operator_commits_meanwhile(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """The branch moves between the look at the tip and git's lock, once."""
    first = repository.head().commit
    lock = Branch.lock
    moved: list[str] = []

    def move_before(branch: Branch, expected: CommitId | None) -> None:
        if not moved:
            moved.extend(commit_at(repository.path, [4_000_000_000]))
        lock(branch, expected)

    monkeypatch.setattr(Branch, "lock", move_before)
    tag = repository.create_tag("v1", first, ALICE, "One\n")
    assert repository.tag("v1") == tag
    assert repository.head().commit == moved[0]


def test_a_tag_costs_the_same_beside_few_and_many_others(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """Where it reads each of the others, many tags take a time that grows with their square."""
    opened: list[str] = []
    parsed: list[bytes] = []
    open_, parse = os.open, PackedRefs.__init__

    def note_open(path: str, *arguments: int, **options: int) -> int:
        opened.append(str(path))
        return open_(path, *arguments, **options)

    def note_parse(packed: PackedRefs, content: bytes = b"") -> None:
        parsed.append(content)
        parse(packed, content)

    def cost() -> int:
        opened.clear()
        for _ in range(3):
            tag_tip(repository, f"v{next(numbers)}")
        return sum("refs/tags" in path for path in opened)

    numbers = count()
    tag_tip(repository, "first")
    git(repository.path, "pack-refs")
    monkeypatch.setattr(os, "open", note_open)
    monkeypatch.setattr(PackedRefs, "__init__", note_parse)
    few = cost()
    for _ in range(40):
        tag_tip(repository, f"v{next(numbers)}")
    assert cost() < few + 20  # and not 40 for each
    assert len(parsed) <= 1
    git(repository.path, "pack-refs")
    tag_tip(repository, "V-last")
    with pytest.raises(NameTaken):
        tag_tip(repository, "V1")
    with pytest.raises(NameTaken):
        tag_tip(repository, "v-last")


def test_many_tags_are_read_by_few_processes_and_one_look_at_the_history(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    commits = [checkpointed(repository, put("a", b"%d" % number)) for number in range(30)]
    for number, commit in enumerate(commits):
        git(repository.path, *HAND, "tag", "-m", "By hand", f"v{number:02}", commit)
    git(repository.path, "pack-refs", "--all")
    repository.maintain(always=True)
    expected = [(f"v{number:02}", commit) for number, commit in enumerate(commits)]
    asked: list[object] = []
    read, position = CatFile.read, Ancestry.position

    def note_read(files: CatFile, wanted: ObjectId) -> GitObject:
        asked.append(wanted)
        return read(files, wanted)

    def note_position(ancestry: Ancestry, commit: CommitId) -> int | None:
        asked.append(commit)
        return position(ancestry, commit)

    monkeypatch.setattr(CatFile, "read", note_read)
    monkeypatch.setattr(Ancestry, "position", note_position)
    late = Store(repository.path.parents[1]).open("alice/demo")
    assert [(tag.name, tag.commit) for tag in late.tags()] == expected
    assert len(asked) < 10


def test_a_damaged_object_among_many_tags_is_told(repository: Repository):
    for number in range(30):
        git(repository.path, *HAND, "tag", "-m", "By hand", f"v{number:02}")
    lost = git(repository.path, "rev-parse", "v07").strip()
    (repository.path / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(RepositoryDamaged, match="its tag 'v07' cannot be read"):
        Store(repository.path.parents[1]).open("alice/demo").tags()

"""Refs are read as git reads them; a ref that git rejects is damage and not a missing ref."""

import errno
from pathlib import Path

import pytest

from storage.errors import RepositoryDamaged, StorageUnavailable
from storage.repository import Repository
from storage.store import Store
from tests.seams import refuse
from tests.storage.repositories import ALICE, HAND, git, put


def write(repository: Repository, ref: str, content: bytes) -> None:
    path = repository.path / ref
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_tag(repository: Repository, content: str) -> str:
    """Put a tag object of any content into a repository, and return its id."""
    command = ("hash-object", "-t", "tag", "-w", "--literally", "--stdin")
    return git(repository.path, *command, stdin=content).strip()


def pack_refs(repository: Repository) -> Path:
    """Have git pack all refs, and return the file."""
    git(repository.path, "pack-refs", "--all")
    return repository.path / "packed-refs"


def seen_by_git(repository: Repository) -> dict[str, str]:
    """Return the commit of each tag, as git lists them."""
    lines = git(repository.path, "for-each-ref", "refs/tags", "--format=%(refname:short) %(objectname) %(*objectname)")
    words = [line.split() for line in lines.splitlines()]
    return {name: on[-1] for name, *on in words}


@pytest.fixture
def tagged(repository: Repository) -> Repository:
    """A repository with an annotated tag, `v1`, on a commit that is not the tip."""
    repository.create_tag("v1", repository.transact(put("a", b"1")), ALICE, "One\n")
    repository.transact(put("a", b"2"))
    repository.checkpoint()
    return repository


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/light"])
@pytest.mark.parametrize(
    "form",
    [
        b"%b\n",
        b"%b",
        b"%b \t\n\n",
        b"%b\nand more",
        b"UPPER",
        b"ref: refs/heads/copy\n",
        b"ref:refs/heads/copy",
    ],
)
def test_a_loose_ref_is_read_as_git_reads_it(tagged: Repository, ref: str, form: bytes):
    commit = tagged.head().commit
    write(tagged, "refs/heads/copy", f"{commit}\n".encode())
    content = commit.upper().encode() if form == b"UPPER" else form.replace(b"%b", commit.encode())
    write(tagged, ref, content)
    assert git(tagged.path, "rev-parse", ref).strip() == commit
    assert tagged.head().commit == commit
    if "tags" in ref:
        assert tagged.tag("light").commit == commit
        assert [tag.name for tag in tagged.tags()] == ["light", "v1"]


@pytest.mark.parametrize(
    "form", [b"", b"nonsense", b"%b0\n", b" %b\n", b"g%b", b"ref: refs/heads/../x\n", b"ref: main\n"]
)
def test_a_loose_ref_that_git_cannot_read_is_damage(tagged: Repository, form: bytes):
    commit = tagged.head().commit
    for ref, ask in {
        "refs/tags/light": lambda: tagged.tag("light"),
        "refs/heads/main": lambda: tagged.head(),
    }.items():
        write(tagged, ref, form.replace(b"%b", commit.encode()))
        with pytest.raises(RepositoryDamaged, match=r"its ref refs/\S+ names no object"):
            ask()
    (tagged.path / "refs/heads/main").write_text(f"{commit}\n")
    for ask in (tagged.tags, lambda: tagged.find("light"), lambda: tagged.fetches.advertise_refs("version=2")):
        with pytest.raises(RepositoryDamaged, match="refs/tags/light"):
            ask()
    with pytest.raises(RepositoryDamaged):
        tagged.create_tag("v2", commit, ALICE, "Two\n")


def test_refs_that_lead_to_each_other_are_damage(tagged: Repository):
    write(tagged, "refs/tags/a", b"ref: refs/tags/b\n")
    write(tagged, "refs/tags/b", b"ref: refs/tags/a\n")
    with pytest.raises(RepositoryDamaged, match="through too many others"):
        tagged.tag("a")


def test_a_ref_to_a_missing_ref_does_not_exist(tagged: Repository):
    write(tagged, "refs/tags/a", b"ref: refs/tags/gone\n")
    assert tagged.tag("a") is None


def test_packed_refs_are_read_as_git_reads_them(tagged: Repository):
    git(tagged.path, "tag", "light")
    packed = pack_refs(tagged)
    content = packed.read_text()
    expected = seen_by_git(tagged)
    assert content.count("^") == 1
    without_header = "".join(content.splitlines(keepends=True)[1:])
    for form in (content, without_header):
        packed.write_text(form)
        assert {tag.name: tag.commit for tag in tagged.tags()} == expected == seen_by_git(tagged)
    lines = content.splitlines(keepends=True)
    packed.write_text(lines[0] + "".join(line[:41].upper() + line[41:] for line in lines[1:]))
    assert {tag.name: tag.commit for tag in tagged.tags()} == expected == seen_by_git(tagged)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# pack-refs", '" pack-refs'),
        (" refs/tags/v1", "!refs/tags/v1"),
        ("refs/tags/v1", "refs/tags/v\x01"),
        ("refs/tags/v1", "sefs/tags/v1"),
        ("refs/tags/v1", "refs/tags/r1"),  # no longer sorted
        ("refs/tags/v1", "refs/tagr/v1"),  # no longer a tag for git
        ("refs/tags/v1\n", "refs/tags/v1\x0b"),
        ("^", "_"),
        ("\n^", "\n^^"),
    ],
)
def test_changed_packed_refs_are_damage(tagged: Repository, old: str, new: str):
    git(tagged.path, "tag", "t0")
    packed = pack_refs(tagged)
    content = packed.read_text()
    assert old in content
    packed.write_text(content.replace(old, new, 1))
    for ask in (tagged.tags, lambda: tagged.fetches.advertise_refs("version=2")):
        with pytest.raises(RepositoryDamaged):
            ask()


def test_a_flipped_bit_in_packed_refs_changes_no_tag_unnoticed(tagged: Repository):
    """No flip hides the annotated tag or changes its commit: each is damage or without effect."""
    packed = pack_refs(tagged)
    content, expected = packed.read_bytes(), tagged.tags()
    start = content.index(b"refs/tags/v1") - 41
    told = 0
    for position in range(start, len(content)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            packed.write_bytes(flipped)
            try:
                assert tagged.tags() == expected, (position, bit)
            except RepositoryDamaged:
                told += 1
    assert told > 0.9 * 8 * (len(content) - start)


def test_a_packed_name_in_any_encoding_is_read_as_git_reads_it(tagged: Repository):
    packed = pack_refs(tagged)
    named = b"%b refs/tags/caf\xe9\n" % tagged.head().commit.encode()
    lines = packed.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if b"refs/tags/v1" in line)
    packed.write_bytes(b"".join([*lines[:at], named, *lines[at:]]))
    assert git(tagged.path, "rev-parse", "v1^{commit}").strip() == tagged.tag("v1").commit
    assert [tag.name for tag in tagged.tags()] == ["v1"]


def test_a_wrong_peeled_line_is_damage(tagged: Repository):
    packed = pack_refs(tagged)
    commit = tagged.tag("v1").commit
    packed.write_text(packed.read_text().replace(f"^{commit}", f"^{tagged.head().commit}"))
    with pytest.raises(RepositoryDamaged, match="has the tag 'v1' on"):
        tagged.tags()


@pytest.mark.parametrize("kind", ["missing", "of another kind"])
def test_a_tag_whose_object_cannot_be_read_is_damage(tagged: Repository, kind: str):
    tagged.create_tag("v2", tagged.head().commit, ALICE, "Two\n")
    blob = git(tagged.path, "rev-parse", "main:a").strip()
    tag_id = "0" * 39 + "1"
    if kind == "of another kind":  # a tag object whose `object` line is cut short
        tag_id = write_tag(tagged, f"object {blob[1:]}\n")
    write(tagged, "refs/tags/v1", f"{tag_id}\n".encode())
    for ask in (
        lambda: tagged.tag("v1"),
        tagged.tags,
        lambda: tagged.find("v1"),
        lambda: tagged.fetches.advertise_refs("version=2"),
    ):
        with pytest.raises(RepositoryDamaged, match="its tag 'v1' cannot be read"):
            ask()
    assert tagged.tag("v2").commit == tagged.head().commit


def test_a_second_name_for_a_tag_is_read_and_a_renamed_tag_is_damage(tagged: Repository):
    git(tagged.path, *HAND, "tag", "other", "v1")
    assert [(tag.name, tag.commit) for tag in tagged.tags()] == [
        (name, tagged.tag("v1").commit) for name in ("other", "v1")
    ]
    (tagged.path / "refs/tags/v1").rename(tagged.path / "gone")
    fresh = Store(tagged.path.parent.parent).open("alice/demo")
    for ask in (fresh.tags, lambda: fresh.tag("other")):
        with pytest.raises(RepositoryDamaged, match="it is the tag 'v1', which is missing"):
            ask()


def test_a_tag_without_a_tagger_is_read(tagged: Repository):
    commit = tagged.head().commit
    content = f"object {commit}\ntype commit\ntag old\n\nOf an old git\n"
    git(tagged.path, "update-ref", "refs/tags/old", write_tag(tagged, content))
    tag = tagged.tag("old")
    assert (tag.commit, tag.signature) == (commit, None)


@pytest.mark.parametrize(
    "content", [b"", b"ref: refs/heads/maio\n", b"ref; refs/heads/main\n", b"ref: refs/heads/main\v", None]
)
def test_a_head_that_does_not_lead_to_the_branch_is_damage(tagged: Repository, content: bytes | None):
    tagged.head()
    if content is None:
        content = f"{tagged.head().commit}\n".encode()
    (tagged.path / "HEAD").write_bytes(content)
    with pytest.raises(RepositoryDamaged, match="HEAD"):
        tagged.head()
    (tagged.path / "HEAD").write_bytes(b"ref: refs/heads/main\n")
    assert tagged.head().read("a").data == b"2"


def test_a_ref_that_the_system_refuses_to_read_is_not_taken_for_missing(
    tagged: Repository, monkeypatch: pytest.MonkeyPatch
):
    for name in ("HEAD", "packed-refs", "refs"):
        refuse(monkeypatch, "open", tagged.path / name, errno.EACCES)
    for ask in (tagged.tags, lambda: tagged.tag("v1"), tagged.head):
        with pytest.raises(StorageUnavailable, match="Permission denied"):
            ask()

"""Bundles that somebody made to have the server read, run or unpack what it must not."""

import hashlib
import zlib
from pathlib import Path

import pytest

from app import create_app
from app.settings import Settings
from storage import imports
from tests.app.api.bundles import assert_refused, bundle_of, commit, data_dir, import_
from tests.app.api.helpers import new_user, put
from tests.client import Client, assert_error
from tests.contracts import hold_to_contracts
from tests.server import MASTER_KEY
from tests.storage.repositories import HAND, git


def history_with(clone: Path, tree: str) -> bytes:
    """Return a bundle whose last commit but one has another tree."""
    last = git(clone, "rev-parse", "HEAD^{tree}").strip()
    odd = git(clone, *HAND, "commit-tree", tree, "-m", "Odd", "-p", "HEAD").strip()
    git(clone, "update-ref", "refs/heads/main", git(clone, *HAND, "commit-tree", last, "-m", "Last", "-p", odd).strip())
    return bundle_of(clone)


def tree_of(clone: Path, *lines: str) -> str:
    return git(clone, "mktree", stdin="".join(f"{line}\n" for line in lines)).strip()


@pytest.mark.parametrize("found", ["repos/alice/demo.git", "accounts.git", "nothing-here"])
def test_a_body_that_leads_git_elsewhere_is_no_bundle(master: Client, alice: Client, found: str):
    """git takes a file with `gitdir:` for the repository that it names."""
    put(alice, "secret", temperature=0.125)
    bob = new_user(master, "bob")
    answer = import_(bob, "new", f"gitdir: {data_dir(alice.app) / found}\n".encode())
    assert answer.status_code == 422
    assert [mistake["msg"] for mistake in answer.json["detail"]] == ["it is no git bundle"]
    assert_error(bob.get("/v1/repo/new"), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    ("header", "finding"),
    [
        (b"# v4 git bundle\n\n", "it is no git bundle"),
        (b"# v2 git bundle\n", "no ref with the SHA-1"),
        (b"# v2 git bundle\n%b refs/heads/main\n\nnothing" % (b"1" * 40), "it has no pack"),
        (b"# v2 git bundle\n-%b old\n\n" % (b"1" * 40), "only a part of the history"),
        (b"# v3 git bundle\n@filter=blob:none\n%b refs/heads/main\n\n" % (b"1" * 40), "no ref with the SHA-1"),
        (b"# v3 git bundle\n" + b"@object-format=sha1\n" * 10_001, "it has over 10000 refs"),
        (b"# v2 git bundle\n%b refs/heads/main\n\nPACK\0\0\0\2\xff\xff\xff\xff" % (b"1" * 40), "4294967295 objects"),
        (b"# v2 git bundle\n%b refs/heads/main\n\nPACK\0\0\0\2\0\0\0\1 " % (b"1" * 40), "its pack is damaged"),
    ],
)
def test_a_header_that_git_did_not_write_is_refused(alice: Client, header: bytes, finding: str):
    assert_refused(alice, header, finding)


def test_refs_that_name_no_object_of_the_bundle_are_refused(alice: Client, clone: Path):
    data = bundle_of(clone, "main")
    tip = git(clone, "rev-parse", "main").strip().encode()
    tree = git(clone, "rev-parse", "main^{tree}").strip().encode()
    for other in (b"1" * 40, tree):
        assert_refused(alice, data.replace(tip, other, 1), "its refs name objects that it does not have")


def test_what_git_and_the_machine_say_is_not_told(alice: Client, clone: Path):
    for data in (bundle_of(clone)[:-100], b"gitdir: /etc\n", b"# v2 git bundle\n\n"):
        answer = import_(alice, "new", data)
        assert answer.status_code == 422
        assert not [text for text in ("/", "fatal", "error:") if text in answer.json["detail"][0]["msg"]]


def test_an_older_commit_with_folders_in_folders_is_refused(alice: Client, clone: Path):
    """Five trees of ten entries are a hundred thousand paths, and each more tree makes that ten times as many."""
    blob = git(clone, "rev-parse", "HEAD:README.md").strip()
    tree = tree_of(clone, *(f"100644 blob {blob}\tf{number}" for number in range(10)))
    for _ in range(4):
        tree = tree_of(clone, *(f"040000 tree {tree}\td{number}" for number in range(10)))
    root = tree_of(clone, *git(clone, "ls-tree", "HEAD").splitlines(), f"040000 tree {tree}\tz")
    assert_refused(alice, history_with(clone, root), f"z/: it has a folder in the tree {root}")


def test_an_older_commit_with_many_folders_of_many_files_is_refused(alice: Client, clone: Path):
    blob = git(clone, "rev-parse", "HEAD:README.md").strip()
    tree = tree_of(clone, *(f"100644 blob {blob}\tf{number}" for number in range(500)))
    root = tree_of(clone, *(f"040000 tree {tree}\td{number}" for number in range(500)))
    assert_refused(alice, history_with(clone, root), f"the tree {root} has 250500 files and folders")


def number(value: int, first: int = 0, bits: int = 7) -> bytes:
    """Return a number as a pack has it, lowest bits first; `first` is what the first byte has above its bits."""
    rest = value >> bits
    start = first << bits | value & (1 << bits) - 1
    return bytes([start | 0x80]) + number(rest) if rest else bytes([start])


def with_delta(bundle: bytes, size: int) -> bytes:
    """Return a bundle with two objects more: some bytes, and a delta that repeats them to `size` bytes."""
    start = bundle.index(b"PACK")
    header, pack = bundle[:start], bundle[start:-20]
    base, times = b"A" * 0xFFFF, size // 0xFFFF
    name = hashlib.sha1(b"blob %d\0%b" % (len(base), base), usedforsecurity=False).digest()
    delta = number(len(base)) + number(len(base) * times) + b"\xb0\xff\xff" * times  # copy all of the base
    new = pack[:8] + (int.from_bytes(pack[8:12]) + 2).to_bytes(4) + pack[12:]
    new += number(len(base), 3, 4) + zlib.compress(base)
    new += number(len(delta), 7, 4) + name + zlib.compress(delta)
    return header + new + hashlib.sha1(new, usedforsecurity=False).digest()


def test_a_delta_that_takes_gigabytes_is_refused_without_the_memory(alice: Client, clone: Path):
    data = bundle_of(clone, "main")
    assert_refused(alice, with_delta(data, 4 * 1024**2), "bytes, and 1048576 are allowed")
    bomb = with_delta(data, 2 * 1024**3)
    assert len(bomb) < len(data) + 20_000
    assert_refused(alice, bomb, "its pack is damaged, or has objects that take too much memory or time")


def test_objects_of_all_kinds_count(tmp_path: Path, clone: Path):
    settings = Settings(tmp_path / "small", master_key=MASTER_KEY, max_write=2048)  # and 64 times that for a history
    small = Client(hold_to_contracts(create_app(settings)), MASTER_KEY)
    assert import_(small, "fits", bundle_of(clone)).status_code == 201
    blob = git(clone, "rev-parse", "HEAD:README.md").strip()
    tree = tree_of(clone, *(f"100644 blob {blob}\tfile-{number}" for number in range(4000)))
    assert_refused(small, history_with(clone, tree), "its objects come to", "and 131072 are allowed")


@pytest.mark.parametrize(
    ("names", "finding"),
    [
        (["1" * 40], "must not look like the id of a commit"),
        (["batch"], "or be 'batch'"),
        (["a/b"], "must start with a letter or digit"),
        (["\N{LATIN SMALL LETTER U WITH DIAERESIS}"], "must start with a letter or digit"),
        (["x", "X"], "differs from the tag 'X' only in case"),
        (["Production"], "a tag has this name, too"),
    ],
)
def test_a_tag_that_the_api_refuses_is_refused(alice: Client, clone: Path, names: list[str], finding: str):
    for name in names:
        git(clone, "update-ref", f"refs/tags/{name}", "HEAD")
    assert_refused(alice, bundle_of(clone, "refs/heads/main", "--tags"), finding)


@pytest.mark.parametrize("named", ["HEAD^{tree}", "HEAD:README.md", "off"])
def test_a_tag_on_no_commit_of_main_is_refused(alice: Client, clone: Path, named: str):
    if named == "off":
        named = git(clone, *HAND, "commit-tree", "HEAD^{tree}", "-m", "Off").strip()
    git(clone, "update-ref", "refs/tags/aside", named)
    assert_refused(alice, bundle_of(clone, "refs/heads/main", "--tags"), "refs/tags/aside: it is on no commit of main")


def test_a_tag_of_a_tag_of_a_tag_is_refused_where_nothing_could_read_it(alice: Client, clone: Path):
    for number in range(7):
        git(clone, *HAND, "tag", "-m", "On", f"t{number}", f"t{number - 1}" if number else "HEAD")
    assert_refused(alice, bundle_of(clone, "refs/heads/main", "--tags"), "it leads through too many others")


@pytest.mark.parametrize(
    ("names", "finding"),
    [
        ([f"l{number}" for number in range(100)], "it has 101 labels, and 100 are allowed"),
        (["con"], "labels/con.yml: 'con.yml' cannot be in a clone on Windows"),
        (["abcd"], "must not look like the start of a commit's id"),
        (["PRODUCTION"], "labels/production.yml: it differs from 'PRODUCTION' only in case"),
    ],
)
def test_labels_that_the_api_refuses_are_refused(alice: Client, clone: Path, names: list[str], finding: str):
    label = (clone / "labels/production.yml").read_text()
    commit(clone, {f"labels/{name}.yml": label for name in names})
    assert_refused(alice, bundle_of(clone, "refs/heads/main", "--tags"), finding)


@pytest.mark.parametrize("to", ["a" * 40, "HEAD^{tree}", "off"])
def test_a_label_on_no_commit_of_main_is_refused(alice: Client, clone: Path, to: str):
    if to == "off":
        to = git(clone, *HAND, "commit-tree", "HEAD^{tree}", "-m", "Off").strip()
    commit(clone, {"labels/production.yml": f"commit: {git(clone, 'rev-parse', to).strip()}\n"})
    assert_refused(alice, bundle_of(clone, "refs/heads/main", "--tags"), "is not in the history")


def test_a_name_can_be_imported_again_in_another_case(alice: Client, clone: Path):
    data = bundle_of(clone)
    for name in ("New", "new", "NEW", "New"):
        assert import_(alice, name, data).status_code == 201
        assert alice.delete(f"/v1/repo/{name}").status_code == 200
    listed = git(data_dir(alice.app) / "accounts.git", "ls-tree", "--name-only", "main", "imported/").split()
    assert listed == ["imported/alice~new.yml"]


def test_imports_of_a_process_go_one_after_another(alice: Client, clone: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imports, "_WAIT", 0.05)
    data = bundle_of(clone)
    with imports.one_at_a_time():
        assert_error(import_(alice, "new", data), 503, "STORAGE_UNAVAILABLE", "another import is under way")
    assert import_(alice, "new", data).status_code == 201

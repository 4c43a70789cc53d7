"""Wrong data from git or the disk is reported as damage: never answered, cached, or built upon."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import git as gitpython
import pytest

from storage.errors import RepositoryDamaged, StorageUnavailable
from storage.journal import header
from storage.journal.header import Header
from storage.journal.journal_file import NAME
from storage.log_filter import LogFilter
from storage.maintenance import Maintenance
from storage.plumbing import checked_git
from storage.plumbing.object import GitObject
from storage.repository import Repository
from storage.store import Store
from storage.waits import Waits
from tests.seams import git_readers
from tests.storage.repositories import ALICE, checkpointed, git, put

LARGE = bytes(range(256)) * 4096  # more than a pipe holds


@pytest.fixture
def written(tmp_path: Path) -> Repository:
    """A repository with five targets and a large file, in one pack of git's, with a commit-graph."""
    store = Store(tmp_path, Maintenance(None))
    repository = store.create("alice/demo", lambda transaction: put("README.md", b"# demo\n")(transaction))
    for number in range(5):
        repository.transact(put(f"targets/t{number}.yml", b"temperature: %d\n" % number))
    repository.transact(put("large", LARGE))
    repository.maintain(always=True)
    return repository


def fresh(repository: Repository) -> Repository:
    """Return the repository as a new process opens it, with nothing in memory."""
    return Store(repository.path.parent.parent, Maintenance(None)).open("alice/demo")


def pack(repository: Repository, suffix: str = ".pack") -> Path:
    (found,) = (repository.path / "objects/pack").glob(f"*{suffix}")
    found.chmod(0o644)
    return found


def flip(path: Path, position: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.chmod(0o644)
    path.write_bytes(content)


def flip_object(repository: Repository, name: str) -> None:
    """Change one bit of an object in the pack."""
    object_id = git(repository.path, "rev-parse", name).strip()
    listing = git(repository.path, "verify-pack", "-v", str(pack(repository, ".idx"))).splitlines()
    words = next(line.split() for line in listing if line.startswith(object_id))
    size, offset = int(words[3]), int(words[4])
    flip(pack(repository), offset + size - 8)


def replace_object(repository: Repository, of: str, by: str) -> None:
    """Let the index of the pack lead from one object's id to another object; the rest of it stays right."""
    ids = [bytes.fromhex(git(repository.path, "rev-parse", name).strip()) for name in (of, by)]
    path = pack(repository, ".idx")
    index = bytearray(path.read_bytes())
    count = int.from_bytes(index[8 + 255 * 4 : 8 + 256 * 4], "big")
    names = 8 + 256 * 4
    one, other = (index.index(wanted, names) for wanted in ids)
    offsets = names + 24 * count
    here, there = (offsets + 4 * ((at - names) // 20) for at in (one, other))
    index[here : here + 4] = index[there : there + 4]
    path.write_bytes(index)


def test_a_flipped_tree_is_damage_and_not_an_empty_folder(written: Repository):
    flip_object(written, "main:targets")
    reader = fresh(written)
    for _ in range(2):  # the wrong tree must not be cached
        with pytest.raises(RepositoryDamaged):
            reader.head().list("targets")
    assert reader.head().read("large").data == LARGE


def test_writes_on_an_unreadable_tree_are_refused(written: Repository):
    tip = written.head().commit
    flip_object(written, "main:targets")
    writer = fresh(written)
    with pytest.raises(RepositoryDamaged):
        writer.transact(put("targets/new.yml", b"temperature: 9\n"))
    assert writer.head().commit == tip
    writer.transact(put("README.md", b"# Demo\n"))  # needs the id of the damaged tree, not its content
    assert fresh(written).head().folder_version("targets") == git(written.path, "rev-parse", "main:targets").strip()


@pytest.mark.parametrize(
    ("of", "by"),
    [("main:targets/t0.yml", "main:targets/t1.yml"), ("main:targets", "main^:"), ("main", "main~2")],
)
def test_an_index_that_leads_to_another_object_is_damage(written: Repository, of: str, by: str):
    replace_object(written, of, by)
    reader = fresh(written)
    with pytest.raises(RepositoryDamaged, match="not what its id says"):
        reader.head().read("targets/t0.yml")
    if of != "main:targets/t0.yml":  # a write replaces that file without reading it
        with pytest.raises(RepositoryDamaged):
            reader.transact(put("targets/t0.yml", b"temperature: 9\n"))


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that lets git be killed in the middle of each of the next `count` objects."""
    left = [0]
    stream = gitpython.Git.stream_object_data

    def begin_and_die(command: gitpython.Git, ref: Any) -> Any:
        answer = stream(command, ref)
        if left[0]:
            left[0] -= 1
            command.cat_file_all.proc.kill()
            command.cat_file_all.proc.wait()
        return answer

    def kill_next(count: int) -> None:
        left[0] = count

    monkeypatch.setattr(gitpython.Git, "stream_object_data", begin_and_die)
    return kill_next


def test_a_read_is_repeated_once_when_git_is_killed_in_the_middle(written: Repository, killed):
    reader = fresh(written)
    snapshot = reader.head()
    killed(1)
    assert snapshot.read("large").data == LARGE


def test_half_an_object_from_a_killed_git_is_never_cached(written: Repository, killed):
    reader = fresh(written)
    snapshot = reader.head()
    snapshot.list("")
    killed(2)
    with pytest.raises(RepositoryDamaged, match="not what its id says"):
        snapshot.read("large")
    assert snapshot.read("large").data == LARGE


def test_a_read_from_a_stopped_git_is_refused_after_a_while(written: Repository):
    reader = Store(written.path.parent.parent, Maintenance(None), Waits(seconds=0.3)).open("alice/demo")
    snapshot = reader.head()
    snapshot.list("")
    for number in range(2):
        (process,) = git_readers(reader.path)
        os.kill(process, signal.SIGSTOP)
        with pytest.raises(StorageUnavailable, match="git does not answer"):
            snapshot.read("large")
        assert snapshot.read(f"targets/t{number}.yml").data == b"temperature: %d\n" % number
    assert snapshot.read("large").data == LARGE


@pytest.mark.usefixtures("written")
def test_a_repository_with_a_stopped_git_can_be_closed(tmp_path: Path):
    store = Store(tmp_path, Maintenance(None), open_at_most=1)
    store.create("alice/other", put("README.md", b"# other\n"))
    stopped = store.open("alice/demo")
    stopped.head().list("")
    (process,) = git_readers(stopped.path)
    os.kill(process, signal.SIGSTOP)
    del stopped
    assert store.open("alice/other").head().list("") == [".gitattributes", "README.md"]
    assert store.open("alice/demo").head().read("targets/t1.yml").data == b"temperature: 1\n"


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_log_refuses_files_whose_checksum_is_wrong(written: Repository, suffix: str):
    path = pack(written, suffix)
    tip = written.head().commit
    expected = written.log(tip)
    flip(path, path.stat().st_size // 2)
    for reader in (written, fresh(written)):
        for ask in (
            lambda reader=reader: reader.log(tip, LogFilter(path="targets")),
            lambda reader=reader: reader.versions("targets/t1.yml", tip),
            lambda reader=reader: reader.comparisons.text_of_files((tip, "targets/t0.yml"), (tip, "targets/t1.yml")),
        ):
            with pytest.raises(RepositoryDamaged, match="checksum of pack-"):
                ask()
    flip(path, path.stat().st_size // 2)
    assert fresh(written).log(tip) == expected == written.log(tip)


def test_a_damaged_commit_graph_is_ignored_and_then_rewritten(written: Repository):
    tip = written.head().commit
    expected = {path: written.versions(path, tip) for path in ("targets/t1.yml", "targets/t4.yml", "large")}
    (graph,) = (written.path / "objects/info/commit-graphs").glob("*.graph")
    size = graph.stat().st_size
    for position in range(60, size, max(1, size // 25)):
        for bit in (0, 7):
            flip(graph, position, bit)
            reader = fresh(written)
            assert {path: reader.versions(path, tip) for path in expected} == expected, (position, bit)
            flip(graph, position, bit)
    flip(graph, size // 2)
    assert fresh(written).maintain(always=True)
    assert checked_git.damaged_files(written.path) == []
    assert git(written.path, "commit-graph", "verify") == ""
    assert {path: fresh(written).versions(path, tip) for path in expected} == expected


def test_maintenance_refuses_damaged_packs(written: Repository):
    """git would read a damaged pack, and write the wrong objects to a new pack with a right checksum."""
    checkpointed(written, put("targets/t5.yml", b"temperature: 5\n"))
    packs = {path: path.read_bytes() for path in (written.path / "objects/pack").iterdir()}
    replaced = next(path for path in packs if path.name.startswith("pack-") and path.suffix == ".idx")
    flip(replaced, replaced.stat().st_size - 60)
    with pytest.raises(RepositoryDamaged, match="checksum of pack-"):
        fresh(written).maintain(always=True)
    flip(replaced, replaced.stat().st_size - 60)
    assert {path: path.read_bytes() for path in (written.path / "objects/pack").iterdir()} == packs
    assert fresh(written).maintain(always=True)
    assert git(written.path, "fsck", "--full", "--strict") == ""


def test_damaged_files_lists_every_kind_of_file_with_a_checksum(written: Repository):
    git(written.path, "multi-pack-index", "write")
    git(written.path, "repack", "-adb", "--quiet", "--write-midx")
    git(written.path, "commit-graph", "write", "--reachable")
    files = [path for path in (written.path / "objects").rglob("*") if path.is_file() and path.name != "packs"]
    summed = [path for path in files if path.parent.name in ("pack", "info", "commit-graphs")]
    assert {path.suffix for path in summed} >= {".pack", ".idx", ".bitmap", ""}
    assert checked_git.damaged_files(written.path) == []
    for path in summed:
        flip(path, path.stat().st_size // 2)
        assert checked_git.damaged_files(written.path) == [path]
        flip(path, path.stat().st_size // 2)
    cut = summed[0]
    os.truncate(cut, 10)
    assert checked_git.damaged_files(written.path) == [cut]


@pytest.mark.usefixtures("no_checkpoints")
def test_a_damaged_record_is_damage_and_not_the_end_of_the_journal(written: Repository):
    written.transact(put("targets/t5.yml", b"temperature: 5\n"))
    path = written.path / NAME
    whole = path.read_bytes()
    start = whole.index(b"temperature: 5")
    for boot in ("this", "another"):
        path.write_bytes(whole)
        flip(path, start)
        if boot == "another":
            read = Header.parse(path.read_bytes()[: header.SIZE])
            with path.open("r+b") as file:
                file.write(read._replace(boot=bytes(16)).pack())
        with pytest.raises(RepositoryDamaged, match=f"its journal, the file {NAME}, cannot be read"):
            fresh(written).head()
        with pytest.raises(RepositoryDamaged):
            fresh(written).transact(put("targets/t6.yml", b"temperature: 6\n"))
    path.write_bytes(whole)
    assert fresh(written).head().read("targets/t5.yml").data == b"temperature: 5\n"


@pytest.mark.usefixtures("no_checkpoints")
def test_a_repository_works_after_its_damaged_journal_is_moved_away(written: Repository):
    """As the error says: without the damaged journal, the commits that git has can be read and written to."""
    written.transact(put("targets/t5.yml", b"temperature: 5\n"))
    flip(written.path / NAME, 10)
    with pytest.raises(RepositoryDamaged, match="move that file away"):
        fresh(written).head()
    shutil.move(written.path / NAME, written.path.parent / "away")
    after = fresh(written)
    assert after.head().list("targets") == [f"t{number}.yml" for number in range(5)]
    checkpointed(after, put("targets/t6.yml", b"temperature: 6\n"))
    assert git(written.path, "show", "main:targets/t6.yml") == "temperature: 6\n"


def test_object_id_is_the_one_that_git_computes():
    done = subprocess.run(["git", "hash-object", "--stdin"], input=LARGE, capture_output=True, check=True)
    assert GitObject.of("blob", LARGE).id.hex() == done.stdout.decode().strip()


@pytest.mark.parametrize("protocol", ["", "version=1", "version=2"])
def test_a_clone_is_refused_where_a_branch_leads_nowhere(written: Repository, protocol: str):
    """The branch of a label, say, whose file has lost a bit, or leads nowhere."""
    written.checkpoint()
    commit = written.head().commit
    git(written.path, "branch", "live", commit)
    assert b"refs/heads/live" in written.fetches.advertise_refs("")
    for content in ("1" * 40, f"{commit[:-1]}g"):
        (written.path / "refs/heads/live").write_text(f"{content}\n")
        with pytest.raises(RepositoryDamaged, match=r"live|1111"):
            written.fetches.advertise_refs(protocol)
    (written.path / "refs/heads/live").write_text(f"{commit}\n")
    assert written.fetches.advertise_refs(protocol)


@pytest.mark.parametrize("protocol", ["", "version=1", "version=2"])
def test_a_clone_is_refused_where_git_would_leave_out_a_tag(written: Repository, protocol: str):
    """The server still knows the tag, from before the files of its pack were lost."""
    written.checkpoint()
    before = set(written.path.glob("objects/pack/*"))
    written.create_tag("v1", written.head().commit, ALICE, "Stable\n")
    assert written.fetches.advertise_refs(protocol)
    for file in set(written.path.glob("objects/pack/*")) - before:
        file.unlink()
    with pytest.raises(RepositoryDamaged, match="git cannot read its tag 'v1'"):
        written.fetches.advertise_refs(protocol)
    assert [tag.name for tag in written.tags()] == ["v1"]

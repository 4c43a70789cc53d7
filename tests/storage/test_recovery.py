"""After a power loss: whatever became of what was not flushed, every answered write is there."""

import os
import random
import re
from pathlib import Path

import pytest

from storage import recovery
from storage.errors import RepositoryDamaged, TagExists
from storage.maintenance import roll_up
from storage.repository import Repository
from storage.store import Store
from tests.storage.repositories import ALICE, git, increment, put

# What a disk may hold of a file, or of its name, that was written and not flushed.
LOSSES = {
    "old": lambda path, old: path.write_bytes(old) if old is not None else path.unlink(missing_ok=True),
    "gone": lambda path, _: path.unlink(missing_ok=True),
    "empty": lambda path, _: path.write_bytes(b""),
    "half": lambda path, _: path.exists() and path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path, _: path.exists() and path.write_bytes(bytes(path.stat().st_size)),
    "kept": lambda *_: None,
}


def lose_power(repository: Repository) -> None:
    """Make the next process take the machine for one that was started anew."""
    (repository.path / "bakehouse-boot").write_text("the boot before")


def indexes(repository: Repository) -> list[Path]:
    found = sorted((repository.path / "objects/pack").glob("flush-*.idx"))
    for path in found:
        path.chmod(0o644)
    return found


def reopened(tmp_path: Path) -> Repository:
    return Store(tmp_path).open("alice/demo")


@pytest.mark.parametrize("index_loss", LOSSES)
@pytest.mark.parametrize("ref_loss", LOSSES)
def test_each_loss_of_indexes_and_ref(repository: Repository, tmp_path: Path, ref_loss: str, index_loss: str):
    ref = repository.path / "refs/heads/main"
    first = ref.read_bytes()
    answers = [repository.transact(increment) for _ in range(6)]
    for path in indexes(repository):
        LOSSES[index_loss](path, None)
    LOSSES[ref_loss](ref, first)
    (repository.path / "refs/heads/main.lock").write_bytes(b"0" * 20)
    lose_power(repository)

    after = reopened(tmp_path)
    assert after.head().read("counter").data == b"%d\n" % answers[-1]
    assert git(after.path, "rev-list", "--count", "main").strip() == "7"
    assert git(after.path, "fsck", "--strict") == ""
    assert after.transact(increment) == 7
    assert not list(after.path.rglob("*.lock"))


@pytest.mark.parametrize("seed", range(20))
def test_losses_of_all_kinds_at_once(repository: Repository, tmp_path: Path, seed: int):
    """Each index comes back in a state of its own, the ref as any it ever had, after roll-ups."""
    chance = random.Random(seed)
    ref = repository.path / "refs/heads/main"
    refs = [ref.read_bytes()]
    count = 0
    for _ in range(chance.randint(1, 25)):
        count = repository.transact(increment)
        refs.append(ref.read_bytes())
        if chance.random() < 0.15:
            roll_up(repository._branch)
            refs = refs[-1:]  # a roll-up makes the ref durable: older ones cannot come back
    flushes = indexes(repository)
    for path in flushes:
        LOSSES[chance.choice(list(LOSSES))](path, None)
    if flushes:  # only a flush replaces the ref, after the last roll-up made it durable
        LOSSES[chance.choice(list(LOSSES))](ref, chance.choice(refs))
    lose_power(repository)

    after = reopened(tmp_path)
    assert after.head().read("counter").data == b"%d\n" % count
    assert git(after.path, "rev-list", "--count", "main").strip() == str(count + 1)
    assert git(after.path, "fsck", "--strict") == ""


@pytest.mark.parametrize("loss", LOSSES)
def test_a_tag_survives_whatever_was_not_flushed(repository: Repository, tmp_path: Path, loss: str):
    """Its own pack, index and ref are flushed; the index of the commit's pack, and the branch, are not."""
    first = (repository.path / "refs/heads/main").read_bytes()
    commit = repository.transact(put("a", b"1"))
    tag = repository.create_tag("v1", commit, ALICE, "Stable\n")
    for path in indexes(repository):
        LOSSES[loss](path, None)
    LOSSES[loss](repository.path / "refs/heads/main", first)
    lose_power(repository)

    after = reopened(tmp_path)
    assert after.tags() == [after.tag("v1")] == [tag]
    assert after.find("v1") == after.head().commit == commit
    assert after.at(commit).read("a").data == b"1"
    assert git(after.path, "fsck", "--strict") == ""
    with pytest.raises(TagExists):
        after.create_tag("v1", commit, ALICE, "Again\n")


def test_a_flush_that_was_cut_off_was_never_answered(repository: Repository, tmp_path: Path):
    repository.transact(increment)
    whole = next((repository.path / "objects/pack").glob("flush-*.pack")).read_bytes()
    torn = repository.path / "objects/pack/flush-torn.pack"
    torn.write_bytes(whole[: len(whole) // 2])
    torn.with_suffix(".idx").write_bytes(b"")
    lose_power(repository)
    after = reopened(tmp_path)
    assert after.head().read("counter").data == b"1\n"
    assert not torn.with_suffix(".idx").exists()
    assert roll_up(after._branch) == 2
    assert git(after.path, "fsck", "--strict") == ""


def test_a_flush_that_a_kill_cut_short_is_taken_back(repository: Repository, tmp_path: Path):
    """Killed between its pack and the branch: three commits that nobody was told of."""
    tip = repository.head().commit

    def die(*_):
        raise SystemExit

    dying = reopened(tmp_path)
    dying._branch.move = die
    dying._objects.take_back = dying._branch.unlock = lambda *_: None
    with pytest.raises(SystemExit):
        dying.transact(put("never", b"answered"))
    assert len(indexes(repository)) == 2
    assert (repository.path / "refs/heads/main.lock").exists()

    after = reopened(tmp_path)
    assert after.head().commit == tip
    assert len(indexes(repository)) == 1
    assert not (repository.path / "refs/heads/main.lock").exists()
    answered = after.transact(put("later", b"answered"))
    (repository.path / "refs/heads/main").write_text(f"{tip}\n")
    lose_power(repository)
    assert reopened(tmp_path).head().commit == answered


def test_a_lock_of_a_killed_git_command_costs_nothing(repository: Repository, tmp_path: Path):
    """It names a commit too, and one that was answered."""
    repository.transact(increment)
    answered = [repository.transact(put(name, b"1")) for name in ("a", "b", "c")]
    (repository.path / "refs/heads/main.lock").write_text(f"{answered[1]}\n")
    after = reopened(tmp_path)
    assert after.transact(increment) == 2
    assert git(after.path, "fsck", "--strict") == ""
    (repository.path / "refs/heads/main.lock").write_text(f"{'0' * 40}\n")
    assert after.transact(increment) == 3
    assert git(after.path, "rev-list", "--count", "main").strip() == "7"


def test_a_large_flush_before_small_ones_does_not_mislead(repository: Repository, tmp_path: Path):
    """With the ref lost, the newest end is history, and not the longest way to one."""
    noise = random.Random(2)
    for number in range(3):
        repository.transact(put(f"large-{number}", noise.randbytes(100_000)))
    for _ in range(5):
        repository.transact(increment)
    roll_up(repository._branch)
    last = repository.transact(increment)
    (repository.path / "refs/heads/main").write_bytes(b"")
    lose_power(repository)
    after = reopened(tmp_path)
    assert after.head().read("counter").data == b"%d\n" % last
    assert git(after.path, "rev-list", "--count", "main").strip() == "10"


def test_a_rotten_pack_is_kept_and_told_of(repository: Repository, tmp_path: Path):
    repository.transact(increment)
    newest = max(
        (repository.path / "objects/pack").glob("flush-*.pack"), key=lambda path: path.stat().st_mtime_ns
    )
    newest.chmod(0o644)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    lose_power(repository)
    with pytest.raises(RepositoryDamaged):
        reopened(tmp_path).head().read("counter")
    assert newest.exists()


def test_nothing_is_looked_for_without_a_new_start(repository: Repository, tmp_path: Path):
    """A ref that a hand has damaged is told of, and not guessed at."""
    repository.transact(increment)
    (repository.path / "refs/heads/main").write_text("nonsense")
    with pytest.raises(RepositoryDamaged):
        reopened(tmp_path).head()


def test_where_there_is_no_boot_id_each_process_looks(repository: Repository, tmp_path: Path, monkeypatch):
    repository.transact(increment)
    for path in indexes(repository):
        path.unlink()
    monkeypatch.setattr(recovery, "BOOT_ID", "of another process")
    assert reopened(tmp_path).head().read("counter").data == b"1\n"


def test_a_failed_move_of_the_branch_takes_its_pack_back(repository: Repository):
    first = repository.head().commit
    repository.transact(increment)
    packs = set((repository.path / "objects/pack").iterdir())

    def change(transaction):
        git(repository.path, "update-ref", "refs/heads/main", first)
        return increment(transaction)

    with pytest.raises(Exception, match="another program"):
        repository.transact(change)
    assert set((repository.path / "objects/pack").iterdir()) == packs


def watch_the_disk(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list that flushes and renames are noted in from now on, as they happen."""
    events: list[str] = []
    paths: dict[int, str] = {}
    real_open, real_fsync, real_rename = os.open, os.fsync, Path.rename

    def kind(path):
        return re.sub(r"[-_][0-9a-f]{16,}", "", Path(path).name)

    def open_(path, *arguments, **more):
        fd = real_open(path, *arguments, **more)
        paths[fd] = kind(path)
        return fd

    def fsync(fd):
        events.append(f"fsync {paths[fd]}")
        real_fsync(fd)

    def rename(path, to):
        events.append(f"rename {kind(to)}")
        return real_rename(path, to)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    return events


def test_a_flush_is_on_disk_before_it_is_seen(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """The order of what reaches the disk: pack, its name, then index and branch."""
    events = watch_the_disk(monkeypatch)
    repository.transact(increment)
    assert events == ["fsync flush.pack", "fsync pack", "rename flush.idx", "rename main"]


def test_a_tag_is_on_disk_before_it_is_answered(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    """Its object first, whole and by name; then its ref, and the names that lead to it."""
    first = repository.head().commit
    events = watch_the_disk(monkeypatch)
    repository.create_tag("v1", first, ALICE, "Stable\n")
    object_ = ["fsync flush.pack", "fsync tmp_idx", "rename flush.idx", "fsync pack"]
    assert events == [*object_, "fsync tmp_tag", "rename v1", "fsync tags", "fsync refs"]

"""What a killed process leaves behind, and what a power loss takes.

A flush makes its pack durable, and no more: the pack's index and the branch may come back from a
power loss old, empty or not at all. Nothing is lost by that. A flushed pack holds commits whose
parents tell their order, and its index follows from its content. A kill takes nothing, since the
kernel keeps what was written; but it can leave a flush that was never answered.
"""

import hashlib
import secrets
import zlib
from pathlib import Path

from storage import disk, flushes, packs, process
from storage.commits import CommitHeader
from storage.errors import RepositoryDamaged
from storage.objects import ObjectDatabase
from storage.refs import Branch

_MARK = "bakehouse-boot"

Commits = dict[str, CommitHeader]


def _read_boot_id() -> str:
    """Return what changes whenever the kernel, and with it what was not flushed, is gone."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux: be careful, and recover in each new process
        return secrets.token_hex(16)


BOOT_ID = _read_boot_id()


def mark(git_folder: Path) -> None:
    """Note that a repository needs no recovery until the machine starts anew."""
    (git_folder / _MARK).write_text(BOOT_ID)


def recover(branch: Branch, objects: ObjectDatabase) -> None:
    """Bring a repository that is being opened to rest."""
    if not _is_marked(branch.git_folder):
        with disk.exclusive(branch.git_folder):
            if not _is_marked(branch.git_folder):  # else another process was quicker
                _recover_power_loss(branch)
                mark(branch.git_folder)
    elif branch.is_locked():
        with disk.exclusive(branch.git_folder):
            clear_killed(branch, objects)


def clear_killed(branch: Branch, objects: ObjectDatabase) -> None:
    """Remove a flush that a killed process did not get to answer. The caller holds the lock.

    Its lock on the branch names it. A lock that names a commit of the branch was left by a git
    command of the operator's. (After a power loss a lock proves nothing: the rename that ended
    it may be what was lost.)
    """
    named = branch.find_stale()
    if named is not None:
        if not _git_succeeds(branch, "merge-base", "--is-ancestor", named, branch.read()):
            objects.take_back(named)
        branch.unlock()


def _recover_power_loss(branch: Branch) -> None:
    """Bring a repository to where its flushed packs say it is. The caller holds the lock."""
    folder = branch.git_folder / "objects" / "pack"
    commits: Commits = {}
    for pack in folder.glob(f"{flushes.PREFIX}*.pack"):
        commits.update(_restore(pack))
    tip = _find_tip(branch, commits)
    if tip is not None:
        branch.restore(tip)
    disk.sync(folder)


def _is_marked(git_folder: Path) -> bool:
    try:
        return (git_folder / _MARK).read_bytes() == BOOT_ID.encode()
    except FileNotFoundError:
        return False


def _restore(pack: Path) -> Commits:
    """Write the index of a flushed pack anew, and return the pack's commits by id."""
    try:
        data = pack.read_bytes()
        objects, index = packs.decode(data), packs.index_of(data)
    except FileNotFoundError:  # maintenance has just rolled it up
        return {}
    except (ValueError, IndexError, zlib.error):
        # Cut off, then never answered; or rotten, then git will tell. It is nobody's to remove.
        if not _is_whole(pack.with_suffix(".idx")):
            pack.with_suffix(".idx").unlink(missing_ok=True)
        return {}
    flushes.publish_index(pack.parent, pack.stem, index, flush=True)
    return {item.id.hex(): CommitHeader.parse(item.data) for item in objects if item.type == "commit"}


def _is_whole(index: Path) -> bool:
    data = index.read_bytes() if index.exists() else b""
    return hashlib.sha1(data[:-20]).digest() == data[-20:]


def _find_tip(branch: Branch, commits: Commits) -> str | None:
    """Return the commit that all others lead to; None where there is nothing to go by.

    History is one line, so of the branch and the ends of what was flushed since it was last
    made durable, one has all others for ancestors. Git knows which.
    """
    parents = {header.parent for header in commits.values()}
    candidates = [commit for commit in commits if commit not in parents]
    try:
        start = branch.read()
    except RepositoryDamaged:
        start = None
    if start is None and not candidates:
        return None
    named = {*candidates, *([start] if start else [])}
    known = [commit for commit in named if _git_succeeds(branch, "cat-file", "-e", commit)]
    newest = _git(branch, "merge-base", "--independent", *known).split() if known else []
    if start in known:
        newest = [c for c in newest if _git_succeeds(branch, "merge-base", "--is-ancestor", str(start), c)]
    if not newest:
        raise RepositoryDamaged(branch.name, "its commits do not lead to one another")
    return max(newest, key=lambda commit: commits[commit].time if commit in commits else 0)


def _git(branch: Branch, *arguments: str) -> str:
    return process.run(branch.name, branch.git_folder, *arguments)


def _git_succeeds(branch: Branch, *arguments: str) -> bool:
    try:
        _git(branch, *arguments)
    except RepositoryDamaged:
        return False
    return True

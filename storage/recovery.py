"""After a power loss: what an answered write did not flush is made again from what it did.

A flush makes its pack durable, and no more: the pack's index and the branch may come back from a
power loss old, empty or not at all. Nothing is lost by that. A flushed pack holds the commits
whose parents tell their order, and its index follows from its content. A kill of the server
needs none of this, since the kernel keeps what was written.
"""

import secrets
import zlib
from collections import defaultdict
from pathlib import Path

from storage import disk, packs
from storage.commits import CommitHeader
from storage.errors import RepositoryDamaged
from storage.objects import FLUSH_PREFIX, publish_index
from storage.refs import Branch

_MARK = "bakehouse-boot"


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


def recover(branch: Branch) -> None:
    """Bring a repository to where its flushed packs say it is, once after each start of the machine."""
    if _is_marked(branch.git_folder):
        return
    with disk.exclusive(branch.git_folder):
        folder = branch.git_folder / "objects" / "pack"
        commits: dict[str, CommitHeader] = {}
        for pack in folder.glob(f"{FLUSH_PREFIX}*.pack"):
            commits.update(_restore(pack))
        tip = _find_tip(commits, _read(branch))
        if tip is not None:
            branch.restore(tip)
        disk.sync(folder)
        mark(branch.git_folder)


def _is_marked(git_folder: Path) -> bool:
    try:
        return (git_folder / _MARK).read_bytes() == BOOT_ID.encode()
    except FileNotFoundError:
        return False


def _read(branch: Branch) -> str | None:
    try:
        return branch.read()
    except RepositoryDamaged:
        return None


def _restore(pack: Path) -> dict[str, CommitHeader]:
    """Write the index of a flushed pack anew, and return the pack's commits by id."""
    try:
        data = pack.read_bytes()
        objects, index = packs.decode(data), packs.index_of(data)
    except FileNotFoundError:  # maintenance has just rolled it up
        return {}
    except (ValueError, IndexError, zlib.error):  # never flushed whole, so never answered
        for ending in (".idx", ".pack"):
            pack.with_suffix(ending).unlink(missing_ok=True)
        return {}
    publish_index(pack.parent, pack.stem, index, flush=True)
    return {item.id.hex(): CommitHeader.parse(item.data) for item in objects if item.type == "commit"}


def _find_tip(commits: dict[str, CommitHeader], branch_at: str | None) -> str | None:
    """Return where the flushed commits lead on from the branch; where it is lost, the newest end.

    More than one way leads on only past a write that was never answered: the longer one is history.
    """
    children: dict[str | None, list[str]] = defaultdict(list)
    for commit, header in commits.items():
        children[header.parent].append(commit)
    roots = [commit for commit, header in commits.items() if header.parent not in commits]
    ways = [(0, commit) for commit in ([branch_at] if branch_at else roots)]
    ends = []
    while ways:
        length, commit = ways.pop()
        ways += [(length + 1, child) for child in children[commit]]
        if not children[commit]:
            ends.append((length, commits[commit].time if commit in commits else 0, commit))
    return max(ends)[2] if ends else None

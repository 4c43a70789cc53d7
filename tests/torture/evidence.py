"""What git says of a repository, to compare answers with."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.storage.repositories import git

_FORMAT = "%H|%P|%(trailers:key=Request-Id,valueonly,separator=%x2C)"
_NO_BLOB = "0" * 40


@dataclass
class Commit:
    """A commit: the request that it came from, and the blobs that it changed by path, before and after."""

    id: str
    parents: list[str]
    request: str
    changes: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)


def line(folder: Path, since: str | None = None) -> list[Commit]:
    """Return the commits of the branch after `since`, oldest first; AssertionError if they are no line."""
    span = "main" if since is None else f"{since}..main"
    commits: list[Commit] = []
    for text in git(folder, "log", "--reverse", "--raw", "--no-abbrev", f"--format={_FORMAT}", span).splitlines():
        if text.startswith(":"):
            details, _, path = text.partition("\t")
            old, new = (None if blob == _NO_BLOB else blob for blob in details.split()[2:4])
            commits[-1].changes[path] = (old, new)
        elif text:
            commit_id, parents, request = text.split("|")
            commits.append(Commit(commit_id, parents.split(), request))
    expected = [] if since is None else [since]
    for commit in commits:
        assert commit.parents == expected, f"{folder.name}: {commit.id} follows {commit.parents}, not {expected}"
        expected = [commit.id]
    return commits


def contents(folder: Path, blob_ids: Iterable[str]) -> dict[str, str]:
    """Return what blobs hold, by id."""
    wanted = sorted(set(blob_ids))
    command = ["git", "-C", str(folder), "cat-file", "--batch"]
    names = "".join(f"{blob}\n" for blob in wanted).encode()
    data = subprocess.run(command, input=names, capture_output=True, check=True).stdout
    found, at = {}, 0
    for blob in wanted:
        header = data[at : data.index(b"\n", at)]
        start = at + len(header) + 1
        at = start + int(header.split()[2]) + 1
        found[blob] = data[start : at - 1].decode()
    return found


def tree(folder: Path) -> dict[str, str]:
    """Return the blob id of each file at the tip, by path."""
    entries = git(folder, "ls-tree", "-r", "main").splitlines()
    return {path: details.split()[2] for details, _, path in (entry.partition("\t") for entry in entries)}


def tags(folder: Path) -> dict[str, str]:
    """Return the commit that each tag is on, by name."""
    listed = git(folder, "for-each-ref", "--format=%(refname:lstrip=2) %(*objectname)", "refs/tags")
    return dict(entry.split(" ") for entry in listed.splitlines())  # type: ignore[misc]


def check_objects(folder: Path) -> None:
    """Let git check every object."""
    said = git(folder, "fsck", "--full", "--strict", "--no-dangling")
    assert said == "", f"{folder.name}: {said}"


def locks(data_dir: Path) -> Iterator[Path]:
    """Yield git's locks."""
    yield from data_dir.rglob("*.lock")


def scratch(data_dir: Path) -> Iterator[Path]:
    """Yield unfinished files: temporary ones, and packs without an index."""
    for name in ("tmp_*", ".tmp-*", ".new-*", "packed-refs.new", "flush-*.keep"):
        yield from data_dir.rglob(name)
    for pack in data_dir.rglob("objects/pack/*.pack"):
        if not pack.with_suffix(".idx").exists():
            yield pack

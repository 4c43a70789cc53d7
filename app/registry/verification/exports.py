"""Find the run that exported some rows, by the manifests in a repository.

An export is JSON Lines as `GET …/rows` sends them. Its SHA-256 alone tells the run. Where no run has it, the lines tell
what may have happened to them.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO, NamedTuple

from app.domain import canonical_json, manifests
from app.domain.manifests import Kind, Manifest
from app.registry import documents
from storage.clones import Clone
from storage.errors import RepositoryDamaged
from storage.ids import BlobId
from storage.snapshot import File, Snapshot

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST_FINDINGS = 20  # of lines
_LONGEST_LINE = 64 * 1024 * 1024  # bytes

_Place = tuple[int, ...]  # of a row: its stimulus, and in a rollout its trajectory


class Found(NamedTuple):
    """A manifest in a version of a file."""

    path: str
    version: BlobId
    manifest: Manifest


@dataclass
class Export:
    """An export, as far as it was read. `commits` are those that its rows name; only a rollout's name any."""

    lines: int = 0
    rows_sha256: str = ""
    kind: Kind | None = None
    commits: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)
    more_findings: int = 0
    _last: _Place | None = None

    @classmethod
    def read(cls, file: BinaryIO) -> "Export":
        """Read an export; only one line at a time is in memory."""
        export, hashed = cls(), sha256()
        while line := file.readline(_LONGEST_LINE):
            hashed.update(line)
            export.lines += 1
            problem = export._check(line)
            if problem is not None and len(export.findings) < _MOST_FINDINGS:
                export.findings.append(f"line {export.lines}: {problem}")
            elif problem is not None:
                export.more_findings += 1
        export.rows_sha256 = hashed.hexdigest()
        return export

    def _check(self, line: bytes) -> str | None:
        """Return what is wrong with a line by itself, or after the line before it."""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return "it is no JSON"
        place = _place(row)
        if place is None:
            return "it is no row of a run"
        last, self._last = self._last, place
        if not line.endswith(b"\n"):
            return "it has no line end, so the file may be cut here"
        if not _is_canonical(row, line):
            return "it is not written as runs write rows, with names sorted and no white space"
        return self._check_kind(row, place) or _order_problem(last, place)

    def _check_kind(self, row: dict[str, Any], place: _Place) -> str | None:
        kind: Kind = "stim" if len(place) == 1 else "rollout"
        if self.kind not in (None, kind):
            return f"it is a row of a {kind}, and those before are of a {self.kind}"
        self.kind = kind
        commit = row.get("commit")
        if kind == "rollout":
            if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
                return "its commit is none"
            is_other = bool(self.commits) and commit not in self.commits
            self.commits.add(commit)
            return f"it is of the commit {commit}, and those before are of another one" if is_other else None
        return None


def find(clone: Clone, snapshot: Snapshot, rows_sha256: str) -> list[Found]:
    """Return the manifests that have these rows; earlier versions where no present one has them."""
    present = [found for found in _present(snapshot) if found.manifest.rows_sha256 == rows_sha256]
    return present or [found for found in _earlier(clone, snapshot) if found.manifest.rows_sha256 == rows_sha256]


def compare(export: Export, snapshot: Snapshot) -> Iterator[str]:
    """Yield how an export that no run has differs from those runs that it may be of."""
    for path, _, manifest in _present(snapshot):
        if manifest.kind != export.kind or (export.commits and manifest.commit not in export.commits):
            continue
        name, missing = manifests.name_of(path), manifest.rows - export.lines
        if missing == 0:
            yield f"the run {name} has as many rows, of which at least one is another one here"
        elif export.commits:
            tail = f"{missing} are missing here" if missing > 0 else f"{-missing} are too many here"
            yield f"the run {name} of this commit has {manifest.rows} rows, so {tail}"


def _present(snapshot: Snapshot) -> Iterator[Found]:
    for target in snapshot.list(manifests.FOLDER):
        folder = f"{manifests.FOLDER}/{target}"
        for entry, version in snapshot.versions(folder).items():
            yield from _parse(snapshot, f"{folder}/{entry}", version)


def _earlier(clone: Clone, snapshot: Snapshot) -> Iterator[Found]:
    for path, versions in clone.blobs(snapshot.commit).items():
        for version in versions:
            yield from _parse(snapshot, path, version)


def _parse(snapshot: Snapshot, path: str, version: BlobId) -> Iterator[Found]:
    """Yield the manifest in a version of a file, if the file holds one; the check of the repository tells of others."""
    if manifests.name_of(path):
        with suppress(ValueError, RepositoryDamaged):
            document = documents.parse(snapshot, path, File(version, snapshot.blob(version)))
            yield Found(path, version, manifests.parse(document))


def _place(row: Any) -> _Place | None:
    if not isinstance(row, dict):
        return None
    place = tuple(row[name] for name in ("stimulus_id", "trajectory_id") if name in row)
    return place if "stimulus_id" in row and all(map(_is_number, place)) else None


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53  # so that a message about it is short


def _is_canonical(row: dict[str, Any], line: bytes) -> bool:
    try:
        return canonical_json.dump(row) + b"\n" == line
    except (ValueError, RecursionError):
        return False


def _order_problem(last: _Place | None, place: _Place) -> str | None:
    """Return what is wrong with the place of a row after the place of the row before, or None."""
    first = (0,) * len(place)
    allowed = [first] if last is None else [(*last[:-1], last[-1] + 1), (last[0] + 1, 0)][: len(place)]
    if place in allowed:
        return None
    called = "stimulus {}".format(*place) if len(place) == 1 else "stimulus {}, trajectory {}".format(*place)
    return f"{called} does not follow on the row before: rows are missing, or moved"

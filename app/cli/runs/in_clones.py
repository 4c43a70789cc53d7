"""The runs that a clone knows: those that are complete, by their manifests. Answers are like those of the API."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.api import payloads
from app.cli.asking.client import Answer
from app.cli.asking.errors import Refused
from app.cli.asking.visible import visible
from app.cli.runs.statuses import COMPLETE
from app.domain import manifests
from app.domain.manifests import Kind, Manifest
from app.registry import documents, revisions
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot


def listed(clone: Repository, target: str | None, ref: str | None, number: int) -> Answer:
    """Return what `GET …/runs` answers, as far as manifests tell, newest first."""
    snapshot = revisions.at(clone, ref)
    found = [run for run, _ in _runs(clone, snapshot, snapshot.list(manifests.FOLDER) if target is None else [target])]
    return {"runs": found[:number], "next": None}


def shown(clone: Repository, target: str, ref: str | None, kinds: Sequence[Kind]) -> dict[Kind, Answer]:
    """Return the status of the newest run of each kind of a target; Refused where a clone knows none at all."""
    found = _runs(clone, revisions.at(clone, ref), [target])
    newest: dict[Kind, Answer] = {}
    for run, manifest in found:
        if manifest.kind in kinds:
            more = {"stale": False, "warnings": [], "rows_sha256": manifest.rows_sha256}
            newest.setdefault(manifest.kind, {**run, **more})
    if not newest:
        raise Refused(f"This clone has no manifest of a run of '{visible(target)}'. git pull gets newer ones.")
    return newest


def _runs(clone: Repository, snapshot: Snapshot, targets: Sequence[str]) -> list[tuple[Answer, Manifest]]:
    found = [each for target in targets for each in _of_target(snapshot, target)]
    written = clone.last_changes([path for path, _ in found], snapshot.commit)
    found.sort(key=lambda each: clone.position(written[each[0]]), reverse=True)
    return [(_run(clone, manifest, written[path]), manifest) for path, manifest in found]


def _of_target(snapshot: Snapshot, target: str) -> Iterator[tuple[str, Manifest]]:
    folder = f"{manifests.FOLDER}/{target}"
    for entry in snapshot.list(folder):
        path = f"{folder}/{entry}"
        found = documents.read(snapshot, path) if manifests.name_of(path) else None
        if found is not None:
            yield path, _parse(path, found[0])


def _parse(path: str, document: Mapping[str, Any]) -> Manifest:
    try:
        return manifests.parse(document)
    except ValueError as error:
        raise Refused(f"{visible(path)} is no manifest that Bakehouse wrote: {visible(str(error))}") from error


def _run(clone: Repository, manifest: Manifest, written: CommitId) -> Answer:
    signature = clone.signature(written)
    return {
        "target_name": manifest.target,
        "kind": manifest.kind,
        "key": manifest.key,
        "commit": manifest.commit,
        "status": COMPLETE,
        "lines": manifest.rows,
        "total_expected": manifest.rows,
        "progress_percent": 100,
        "error": None,
        "failed_rows": manifest.failed,
        "truncated": manifest.truncated,
        "empty": manifest.empty,
        "tokens_in": manifest.tokens_in,
        "tokens_out": manifest.tokens_out,
        "started_by": payloads.person(signature),
        "created": None,
        "finished": payloads.commit(written, signature)["time"],
        "manifest_commit": written,
    }

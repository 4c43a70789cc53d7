"""`/v1/repo/{repo_name}/diff`: what changed in a repo between two commits."""

from typing import Any

from flask import Blueprint, request

from app.api import payloads
from app.api.diffs import TEXT_DIFF
from app.domain.errors import TooMuchToRead
from app.registry import revisions
from app.registry.audit import file_changes, log_filters
from app.registry.audit.comparison import Compared, Comparison
from app.schemas.comparison import RepoDiffQuerySchema, RepoDiffSchema
from app.wire import allowance, context, cursors, versions
from app.wire.contract import Answer, accepts, returns
from storage.ids import CommitId
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.snapshot import Snapshot

blueprint = Blueprint("comparison", __name__, url_prefix="/v1/repo/<repo_name>")
blueprint.before_request(context.authorize)


@blueprint.get("/diff")
@accepts(query=RepoDiffQuerySchema, conditions=("If-None-Match",))
@returns(RepoDiffSchema, 200, 304, errors=(404, 409, 413), headers=versions.ANSWER_HEADERS, text=TEXT_DIFF)
def get_repo_diff(repo_name: str, query: dict[str, Any]) -> Answer:
    """Compare all files of a repo at two commits: targets, prompts, the default, grants and all others.

    Field by field, or with `Accept: text/x-diff` as `git diff` prints it.
    """
    repository = context.repository(repo_name)
    old, new, offset = _sides(repository, query)
    wanted = log_filters.of_path(query["path"])
    is_text = request.accept_mimetypes.best_match(["application/json", TEXT_DIFF.media_type]) == TEXT_DIFF.media_type
    asked = {**query, "from_": old.commit, "to": new.commit, "cursor": offset, "is_text": is_text}
    version = versions.of_answer(new, asked)
    headers = versions.headers(version, new.commit)
    if versions.is_known(version):
        return {}, 304, headers
    if is_text:
        return _text(repository, old, new, wanted), 200, headers
    return lambda: _compared(repository, old, new, wanted, query, offset), 200, headers


def _sides(repository: Repository, query: dict[str, Any]) -> tuple[Snapshot, Snapshot, int]:
    """Return the old and the new side, and how many files to skip; the cursor of a page has all three."""
    if query["cursor"] is None:
        return revisions.at(repository, query["from_"]), revisions.at(repository, query["to"]), 0
    commits, offset = cursors.read(query, 2)
    old, new = (repository.at(CommitId(commit)) for commit in commits)
    return old, new, offset


def _text(repository: Repository, old: Snapshot, new: Snapshot, wanted: LogFilter) -> str:
    most = context.services().settings.max_parsed
    text = repository.comparisons.text(old, new, wanted, most)
    if text is None:
        raise TooMuchToRead("The text of this comparison, which `path` can narrow,", most)
    return text


def _compared(
    repository: Repository, old: Snapshot, new: Snapshot, wanted: LogFilter, query: dict[str, Any], offset: int
) -> dict[str, Any]:
    comparison, space = Comparison(repository, old, new, wanted), allowance.room()
    files: list[dict[str, Any]] = []
    for compared in comparison.page(allowance.work(), offset=offset, limit=query["limit"]):
        file = _file(repository, compared, full=query["full"])
        if not space.fits(file):
            break
        files.append(file)
    end = offset + len(files)
    following = cursors.make(query, [old.commit, new.commit], end) if end < len(comparison) else None
    sides = (payloads.commit(side.commit, repository.signature(side.commit)) for side in (old, new))
    counts = {name: comparison.counts.get(name, 0) for name in ("created", "updated", "deleted")}
    return {**dict(zip(("from_", "to"), sides, strict=True)), "counts": counts, "files": files, "next": following}


def _file(repository: Repository, compared: Compared, *, full: bool) -> dict[str, Any]:
    file, commit = compared.file, compared.commit
    kind, name = file_changes.thing(file.path)
    return {
        "kind": kind,
        "name": name,
        "path": file.path,
        **payloads.changed_file(file, allowance.room(), full=full),
        "changed": commit and payloads.commit(commit, repository.signature(commit)),
    }

"""`/v1/repo/{repo_name}/question-templates`: the files in `templates/`, and who owns them."""

from base64 import b64encode
from collections.abc import Collection
from typing import Any

from flask import Blueprint, request

from app.api import payloads
from app.registry.configs import mentions, question_templates, template_owners
from app.registry.configs.template_owners import Uses
from app.schemas.question_templates import QuestionTemplateListSchema, WholeQuestionTemplateSchema
from app.schemas.revisions import RefQuerySchema
from app.schemas.uses import UsesQuerySchema
from app.wire import allowance, context, versions
from app.wire.contract import Answer, TextFormat, accepts, returns
from storage.ids import BlobId
from storage.snapshot import Snapshot

blueprint = Blueprint("question_templates", __name__, url_prefix="/v1/repo/<repo_name>/question-templates")
blueprint.before_request(context.authorize)

_TEXT = TextFormat("text/plain", "The content of the file, where it is UTF-8; else the answer is JSON.")


@blueprint.get("")
@accepts(query=UsesQuerySchema, conditions=("If-None-Match",))
@returns(QuestionTemplateListSchema, 200, 304, errors=(404, 409), headers=versions.ANSWER_HEADERS)
def list_question_templates(repo_name: str, query: dict[str, Any]) -> Answer:
    """List the question templates of a repo, each with its owners."""
    snapshot = context.snapshot(repo_name, query)
    version = versions.of_answer(snapshot, query)
    status = 304 if versions.is_known(version) else 200
    return lambda: _page(snapshot, query["offset"]), status, versions.headers(version, snapshot.commit)


@blueprint.get("/<file_name>")
@accepts(query=RefQuerySchema, conditions=("If-None-Match",))
@returns(WholeQuestionTemplateSchema, 200, 304, errors=(404, 409), headers=versions.FILE_HEADERS, text=_TEXT)
def get_question_template(repo_name: str, file_name: str, query: dict[str, Any]) -> Answer:
    """Read a question template: its content, who owns it, and who names it.

    With `Accept: text/plain` the answer is the content alone. Content that is not UTF-8 is answered as JSON, in Base64.
    """
    snapshot = context.snapshot(repo_name, query)
    file = question_templates.get(snapshot, file_name)
    text = _decoded(file.data)
    wanted = request.accept_mimetypes.best_match(["application/json", _TEXT.media_type])
    if text is not None and wanted == _TEXT.media_type:
        headers = versions.headers(file.id, snapshot.commit)
        return text, 304 if versions.is_known(file.id) else 200, headers
    folders = (snapshot.folder_version(folder) for folder in ("targets", "defaults"))
    version = versions.of_files(file.id, *folders)
    status = 304 if versions.is_known(version) else 200

    def whole() -> dict[str, Any]:
        path = question_templates.path(file_name)
        mentions.read_ahead(snapshot)
        found = template_owners.find_uses(snapshot, {path})[path]
        raw = {} if text is not None else {"content_base64": b64encode(file.data).decode()}
        owned = _owned(file_name, file.id, len(file.data), found)
        return {**owned, "content": text, **raw, **payloads.some("used_by", found.names)}

    return whole, status, versions.headers(version, snapshot.commit)


def _page(snapshot: Snapshot, offset: int) -> dict[str, Any]:
    """Return as many files as there is room for, one at least: a size is that of a file that was read."""
    names = question_templates.list_all(snapshot)
    mentions.read_ahead(snapshot)
    found = template_owners.find_uses(snapshot, set(map(question_templates.path, names[offset:])))
    work, space = allowance.work(), allowance.room()
    shown: list[dict[str, Any]] = []
    for name in names[offset:]:
        file = question_templates.get(snapshot, name)
        part = _owned(name, file.id, len(file.data), found[question_templates.path(name)])
        if (shown and not work.take([len(file.data)])) or not space.fits(part):
            break
        shown.append(part)
    end = offset + len(shown)
    following = {"ref": snapshot.commit, "offset": end} if end < len(names) else None
    return {"question_templates": shown, "next": following}


def _owned(name: str, version: BlobId, size: int, found: Uses) -> dict[str, Any]:
    owners: Collection[str] = [owner for owner, owned in found.owners.items() if owned == version]
    return {"file_name": name, "version": version, "size": size, **payloads.some("owners", owners)}


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None

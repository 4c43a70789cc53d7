"""`/v1/repo/{repo_name}/targets/preview`: a POST that writes nothing, so read access is enough."""

from typing import Any

from flask import Blueprint

from app.api import examples, payloads
from app.registry import lineage, targets
from app.registry.target_requests import TargetRequest
from app.schemas.lineage import PreviewSchema
from app.schemas.targets import TargetPutSchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("preview", __name__, url_prefix="/v1/repo/<repo_name>/targets/preview")
blueprint.before_request(context.authorize_reading)


@blueprint.post("")
@accepts(TargetPutSchema, example=examples.PREVIEW)
@returns(PreviewSchema, 200, errors=(404, 409), headers=versions.COMMIT_HEADERS)
def preview_target(repo_name: str, body: dict[str, Any]) -> Answer:
    """Resolve a template and overrides, and explain the result, without writing."""
    repository = context.repository(repo_name)
    snapshot = repository.head()
    request = TargetRequest.of("preview", body["template"], body.get("overrides"))
    previewed = targets.preview(snapshot, request)
    explained = payloads.explanation(repository, lineage.explain(repository, snapshot, previewed.target))
    answer = {"config": previewed.target.config, **explained, **payloads.warned(previewed.warnings)}
    return answer, 200, versions.commit_headers(snapshot)

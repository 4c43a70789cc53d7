"""`/v1/repo/{repo_name}/targets/preview`: a POST that writes nothing, so read access is enough."""

from typing import Any

from flask import Blueprint

from app.api import examples, payloads
from app.registry.audit import lineage
from app.registry.configs import targets
from app.registry.configs.target_requests import TargetRequest
from app.schemas.lineage import PreviewQuerySchema, PreviewSchema
from app.schemas.targets import TargetPutSchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns

blueprint = Blueprint("preview", __name__, url_prefix="/v1/repo/<repo_name>/targets/preview")
blueprint.before_request(context.authorize_reading)


@blueprint.post("")
@accepts(TargetPutSchema, example=examples.PREVIEW, query=PreviewQuerySchema)
@returns(PreviewSchema, 200, errors=(308, 404, 409), headers=versions.COMMIT_HEADERS)
def preview_target(repo_name: str, body: dict[str, Any], query: dict[str, Any]) -> Answer:
    """Resolve a template and overrides, and explain the result, without writing."""
    repository = context.repository(repo_name)
    snapshot = repository.head()
    request = TargetRequest.of("preview", body["template"], body.get("overrides"))
    previewed = targets.preview(snapshot, request)
    found = lineage.explain(repository, snapshot, previewed.target, payloads.explanation_page(query))
    explained = payloads.explanation(repository, found, full=query["full"])
    answer = {"config": previewed.target.config, **explained, **payloads.warned(previewed.warnings)}
    return answer, 200, versions.commit_headers(snapshot)

"""`/v1/repo/{repo_name}/tags`."""

from typing import Any

from flask import Blueprint

from app.api import examples, payloads
from app.auth import Forbidden
from app.registry import revisions
from app.schemas.batches import DeletedSchema
from app.schemas.revisions import TagCreateSchema, TagListSchema, TagSchema
from app.wire import context, versions
from app.wire.contract import Answer, accepts, returns
from storage.tags import Tag

blueprint = Blueprint("tags", __name__, url_prefix="/v1/repo/<repo_name>/tags")
blueprint.before_request(context.authorize)


@blueprint.post("")
@accepts(TagCreateSchema, example=examples.CREATE_TAG)
@returns(TagSchema, 201, 200, errors=(404, 409), headers=versions.TAG_HEADERS | versions.LOCATION)
def create_tag(repo_name: str, body: dict[str, Any]) -> Answer:
    """Tag a commit. A tag is permanent, is in every clone, and can be used as `ref`.

    200 if there is such a tag on this commit, with this message.
    """
    tag, created = revisions.create_tag(
        context.repository(repo_name), context.origin(), body["name"], body["ref"], body["message"]
    )
    headers = {"Git-Commit": tag.commit} | (versions.location(tag.name) if created else {})
    return _payload(tag), 201 if created else 200, headers


@blueprint.get("")
@accepts()
@returns(TagListSchema, 200, errors=(404,))
def list_tags(repo_name: str) -> Answer:
    """List the tags of a repo."""
    return {"tags": [_payload(tag) for tag in context.repository(repo_name).tags()]}, 200, {}


@blueprint.get("/<tag_name>")
@accepts()
@returns(TagSchema, 200, errors=(404,))
def get_tag(repo_name: str, tag_name: str) -> Answer:
    """Read a tag."""
    return _payload(revisions.get_tag(context.repository(repo_name), tag_name)), 200, {}


@blueprint.delete("/<tag_name>")
@accepts()
@returns(DeletedSchema, errors=(404,))
def delete_tag(repo_name: str, tag_name: str) -> Answer:
    """Refuse to delete a tag: tags are permanent."""
    tag = revisions.get_tag(context.repository(repo_name), tag_name)
    raise Forbidden(f"Tag '{tag.name}' stays, as all tags do; make another one for another commit.")


def _payload(tag: Tag) -> dict[str, Any]:
    signature = tag.signature
    return {
        "name": tag.name,
        "commit": tag.commit,
        "message": signature and signature.message.removesuffix("\n"),
        "tagger": signature and payloads.person(signature),
        "time": signature and payloads.time(signature),
        "reason": signature and signature.reason,
    }

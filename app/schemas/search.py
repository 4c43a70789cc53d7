"""The queries of searches."""

from app.domain.names import user_id_problem
from app.schemas.base import StrictSchema
from app.schemas.fields import Choice, Matching, Name, Text
from app.schemas.revisions import RefQuerySchema

KINDS = ("repos", "targets", "prompts", "labels", "tags", "reasons")
_KIND = {"description": "Only things of this kind."}


class SearchQuerySchema(StrictSchema):
    """A search in all repos that the caller may read."""

    q = Text(load_default="", metadata={"description": "The text that is looked for, in any case."})
    kind = Choice(KINDS, load_default=None, metadata=_KIND)
    owner = Name(user_id_problem, load_default=None, metadata={"description": "Only repos of this user."})
    after = Matching(
        r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}/[A-Za-z0-9][A-Za-z0-9._-]{0,99}/[^/\x00-\x1f\x7f]{0,255}",
        "This must be where a page before this one ended, such as alice/demo/coding_target",
        load_default=None,
        metadata={"description": "Where the search goes on: `<owner>/<repo>/<thing>`, or the same without a thing."},
    )


class RepoSearchQuerySchema(RefQuerySchema):
    """A search in one repo."""

    q = Text(load_default="", metadata={"description": "The text that is looked for, in any case."})
    kind = Choice(KINDS, load_default=None, metadata=_KIND)
    after = Matching(
        r"[^/\x00-\x1f\x7f]{0,255}",
        "This must be the thing that a page before this one ended with",
        load_default="",
        metadata={"description": "Where the search goes on: behind this thing."},
    )

"""Requests and answers about what becomes of whole repos."""

from app.domain.names import name_problem, user_id_problem
from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Flag, Integer, Matching, Name, QueryInteger, Text

_FARTHEST = 1_000_000_000
_TIME = {"format": "date-time"}


class DeletedRepoSchema(StrictSchema):
    """A deleted repo."""

    repo_name = Text(required=True, metadata={"description": "The name that the repo had."})
    id = Text(required=True, metadata={"description": "Tells deleted repos of one name apart."})
    deleted_at = Text(
        required=True,
        allow_none=True,
        metadata={
            **_TIME,
            "description": "When it was deleted; null where the accounts do not tell.",
        },
    )
    deleted_by = Text(required=True, allow_none=True, metadata={"description": "The id of the user who deleted it."})
    reason = Text(required=True, allow_none=True, metadata={"description": "Why; null where nobody told."})
    until = Text(
        required=True,
        allow_none=True,
        metadata={**_TIME, "description": "Until when it can be restored. It may be removed for good from then on."},
    )


class RepoDeletedSchema(DeletedRepoSchema):
    """The deletion of a repo."""

    message = Text(required=True, metadata={"description": "What was deleted; for a person."})


class DeletedRepoQuerySchema(StrictSchema):
    """The page of deleted repos to list."""

    offset = QueryInteger(0, _FARTHEST, load_default=0, metadata={"description": "How many to skip, 0 to a billion."})
    limit = QueryInteger(1, 1000, load_default=50, metadata={"description": "How many, 1 to 1000."})


class DeletedRepoPageSchema(StrictSchema):
    """Some of the deleted repos."""

    deleted = ListOf(
        Part(DeletedRepoSchema),
        required=True,
        metadata={"description": "The deleted repos, by name; of one name, the one deleted last first."},
    )
    offset = Integer(0, required=True, metadata={"description": "How many come before these."})
    limit = Integer(1, required=True, metadata={"description": "How many were asked for."})
    has_more = Flag(required=True, metadata={"description": "Whether more come after these."})
    total = Integer(0, required=True, metadata={"description": "How many there are."})


class UndeleteSchema(StrictSchema):
    """Which deleted repo to restore, and under which name."""

    name = Name(
        name_problem,
        new=True,
        allow_none=True,
        load_default=None,
        metadata={"description": "The name that the repo gets; null: the one that it had."},
    )
    id = Matching(
        r"[0-9a-f]{16}",
        "This must be the id of a deleted repo: 16 hex digits",
        allow_none=True,
        load_default=None,
        metadata={"description": "Which of the deleted repos of this name; null: the one deleted last."},
    )


class RenameSchema(StrictSchema):
    """The new name of a repo."""

    name = Name(name_problem, new=True, required=True, metadata={"description": "The new name."})


class TransferSchema(StrictSchema):
    """The new owner of a repo."""

    user_id = Name(user_id_problem, required=True, metadata={"description": "The user who gets the repo."})

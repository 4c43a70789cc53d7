"""Requests and answers about repos."""

from app.domain.names import name_problem
from app.schemas.base import StrictSchema
from app.schemas.containers import JsonObject, ListOf, Names, Part
from app.schemas.fields import FARTHEST, Flag, Integer, Name, QueryFlag, QueryInteger, Text


class RepoCreateSchema(StrictSchema):
    """A new repo."""

    repo_name = Name(name_problem, new=True, required=True, metadata={"description": "The repo's name."})
    base_model = Text(
        filled=True,
        allow_none=True,
        metadata={"description": "The base model; null: the default, or any that an existing repo has."},
    )


class RepoSchema(StrictSchema):
    """A repo."""

    repo_name = Text(required=True, metadata={"description": "The repo's name."})
    base_model = Text(required=True, metadata={"description": "The base model."})
    clone_url = Text(required=True, metadata={"description": "The URL for `git clone`."})


class RepoTreeSchema(StrictSchema):
    """The models baked in a repo. There are none, since Bakehouse keeps configurations only."""

    base_model = Text(required=True, metadata={"description": "The base model."})
    bakes = JsonObject(required=True, metadata={"description": "The bakes, by name: always empty."})
    edges = ListOf(Names(), required=True, metadata={"description": "Which bake was made from which: always empty."})


class RepoItemSchema(StrictSchema):
    """A repo in a page of repos."""

    repo_name = Text(required=True, metadata={"description": "The repo's name."})
    base_model = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The base model; null where the repository is damaged."},
    )


class RepoListSchema(StrictSchema):
    """All repos, by name."""

    repos = Names(required=True, metadata={"description": "Their names, sorted."})


class RepoListQuerySchema(StrictSchema):
    """The page of repos to list."""

    include_metadata = QueryFlag(
        load_default=False, metadata={"description": "Answer a page of repos with their base models."}
    )
    offset = QueryInteger(
        0,
        FARTHEST,
        load_default=0,
        metadata={"description": "How many to skip, 0 to a billion; with include_metadata."},
    )
    limit = QueryInteger(
        1, 1000, load_default=50, metadata={"description": "How many, 1 to 1000; with include_metadata."}
    )


class RepoPageSchema(StrictSchema):
    """Some of the repos, with metadata."""

    repos = ListOf(Part(RepoItemSchema), required=True, metadata={"description": "The repos, by name."})
    offset = Integer(0, required=True, metadata={"description": "How many come before these."})
    limit = Integer(1, required=True, metadata={"description": "How many were asked for."})
    has_more = Flag(required=True, metadata={"description": "Whether more come after these."})
    total = Integer(0, required=True, metadata={"description": "How many there are."})

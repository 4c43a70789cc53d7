"""Requests and answers about who uses a prompt, a target or a question template."""

from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Names, Part
from app.schemas.fields import Choice, Flag, Integer, QueryInteger, Text
from app.schemas.lineage import OFFSET
from app.schemas.rebase import STATES, NextSchema
from app.schemas.revisions import RefQuerySchema

_USER = {"description": "The target's name, or `default`."}


class UsesQuerySchema(RefQuerySchema):
    """The page of uses to show."""

    offset = QueryInteger(0, 10**9, load_default=0, metadata=OFFSET)


class PromptUserSchema(StrictSchema):
    """A target, or the default, that names a prompt."""

    target_name = Text(required=True, metadata=_USER)
    fields_ = Names(
        data_key="fields",
        required=True,
        metadata={"description": "The fields of its config that name the prompt."},
    )


class TargetUserSchema(StrictSchema):
    """A target that was made from another."""

    target_name = Text(required=True, metadata={"description": "The target's name."})
    depth = Integer(1, required=True, metadata={"description": "1: made from it; 2: from one of those; …."})
    template = Text(required=True, metadata={"description": "The template that it is resolved on."})
    state = Choice(
        STATES,
        required=True,
        metadata={"description": "Whether its template is at the recorded version, at another one, or gone."},
    )


class FileUserSchema(StrictSchema):
    """A target, or the default, that names a question template."""

    target_name = Text(required=True, metadata=_USER)
    owned = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "The version that is in its `files`; null where it names the file and does not own it."
        },
    )


class HolderSchema(StrictSchema):
    """A label or tag at whose commit the thing is there."""

    name = Text(required=True, metadata={"description": "The name of the label or tag."})
    commit = Text(required=True, metadata={"description": "The commit that it is on."})
    version = Text(required=True, metadata={"description": "The version there: a blob id."})
    same = Flag(required=True, metadata={"description": "Whether that is the version that was asked about."})


class _UsesSchema(StrictSchema):
    """Who uses a thing."""

    exists = Flag(required=True, metadata={"description": "Whether there is one, at this commit."})
    version = Text(
        required=True, allow_none=True, metadata={"description": "Its version: a blob id; null where there is none."}
    )
    labels = ListOf(
        Part(HolderSchema), required=True, metadata={"description": "The labels at whose commit it is there, by name."}
    )
    tags = ListOf(
        Part(HolderSchema), required=True, metadata={"description": "The tags at whose commit it is there, by name."}
    )
    next = Part(
        NextSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The query of the next page; null: there is none."},
    )


class PromptUsesSchema(_UsesSchema):
    """Who uses a prompt."""

    class Meta:
        """In this order."""

        fields = ("prompt_name", "exists", "version", "targets", "labels", "tags", "next")

    prompt_name = Text(required=True, metadata={"description": "The prompt's name."})
    targets = ListOf(
        Part(PromptUserSchema),
        required=True,
        metadata={"description": "The targets whose config names it, sorted, after `default`."},
    )


class TargetUsesSchema(_UsesSchema):
    """Who uses a target."""

    class Meta:
        """In this order."""

        fields = ("target_name", "exists", "version", "targets", "labels", "tags", "next")

    target_name = Text(required=True, metadata={"description": "The target's name."})
    targets = ListOf(
        Part(TargetUserSchema),
        required=True,
        metadata={"description": "The targets that were made from it, at any depth, parents first."},
    )


class QuestionTemplateUsesSchema(_UsesSchema):
    """Who uses a question template."""

    class Meta:
        """In this order."""

        fields = ("file_name", "exists", "version", "targets", "labels", "tags", "next")

    file_name = Text(required=True, metadata={"description": "The name of the file."})
    targets = ListOf(
        Part(FileUserSchema),
        required=True,
        metadata={"description": "The targets that name the file, sorted, after `default`."},
    )

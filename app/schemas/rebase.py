"""Requests and answers about drift, descendants and rebase."""

from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part, Warnings
from app.schemas.fields import Choice, Flag, Integer, QueryInteger, Text
from app.schemas.history import ComparisonSchema, FullQuerySchema
from app.schemas.lineage import OFFSET

STATES = ("current", "drifted", "template_gone")


class DriftSchema(ComparisonSchema):
    """The changes if a target were resolved on today's template."""

    class Meta:
        """In this order."""

        fields = ("target_name", "template", "state", "operations", "changes", "more", "note")

    target_name = Text(required=True, metadata={"description": "The target's name."})
    template = Text(required=True, metadata={"description": "The template that it is resolved on."})
    state = Choice(
        STATES,
        required=True,
        metadata={"description": "Whether its template is at the recorded version, at another one, or gone."},
    )


class DescendantQuerySchema(FullQuerySchema):
    """The page of descendants to show."""

    offset = QueryInteger(0, 10**9, load_default=0, metadata=OFFSET)


class NextSchema(StrictSchema):
    """The query of the next page."""

    ref = Text(required=True, metadata={"description": "The commit that all pages are read at."})
    offset = Integer(1, required=True, metadata={"description": "How many the pages before have."})


class DescendantSchema(DriftSchema):
    """A target that was made from another, and its drift."""

    class Meta:
        """In this order."""

        fields = ("target_name", "depth", "template", "state", "operations", "changes", "more", "note")

    depth = Integer(1, required=True, metadata={"description": "1: made from it; 2: from one of those; …."})


class DescendantListSchema(StrictSchema):
    """The targets that were made from a target."""

    descendants = ListOf(
        Part(DescendantSchema), required=True, metadata={"description": "At any depth, parents first."}
    )
    next = Part(
        NextSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The query of the next page; null: there is none."},
    )


class RebaseSchema(StrictSchema):
    """How to rebase a target."""

    dry_run = Flag(load_default=False, metadata={"description": "Only show what would change."})
    descendants = Flag(
        load_default=False,
        metadata={"description": "Also rebase the targets that were made from it, in the same commit."},
    )


class RebasedTargetSchema(ComparisonSchema):
    """A target that was rebased, and how its config changed."""

    class Meta:
        """In this order."""

        fields = ("target_name", "template", "template_version", "operations", "changes", "more", "note")

    target_name = Text(required=True, metadata={"description": "The target's name."})
    template = Text(required=True, metadata={"description": "The template that it is resolved on."})
    template_version = Text(required=True, metadata={"description": "The template's version: its blob id."})


class RebasedSchema(StrictSchema):
    """The targets that a rebase changed, or would change."""

    dry_run = Flag(required=True, metadata={"description": "Whether nothing was written."})
    targets = ListOf(
        Part(RebasedTargetSchema),
        required=True,
        metadata={"description": "The targets whose template was at another version, parents first."},
    )
    warnings = Warnings()

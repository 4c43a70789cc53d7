"""Requests and answers about comparisons and reverts of targets, prompts and the default."""

from app.domain.names import name_problem, target_name_problem
from app.schemas.base import StrictSchema
from app.schemas.containers import Part
from app.schemas.fields import Name, QueryFlag, Reference, Text
from app.schemas.history import FULL, CommitSchema, ComparisonSchema

_IN_THIS_ORDER = ("from_", "to", "operations", "changes", "more", "note")
_FROM = {"description": "What was compared with."}
_TO = {"description": "What was compared."}


class _SidesQuerySchema(StrictSchema):
    """The two sides of a comparison."""

    full = QueryFlag(load_default=False, metadata=FULL)

    from_ = Reference(
        data_key="from",
        load_default=None,
        metadata={"description": "The commit, tag, label or time to compare with. With `against` the default is `to`."},
    )
    to = Reference(
        load_default=None, metadata={"description": "The commit, tag, label or time to compare. Left out: the tip."}
    )


class TargetDiffQuerySchema(_SidesQuerySchema):
    """The two sides of a comparison of targets."""

    against = Name(
        target_name_problem,
        load_default=None,
        metadata={"description": "Another target to compare with. Left out: this one, as it was at `from`."},
    )


class PromptDiffQuerySchema(_SidesQuerySchema):
    """The two sides of a comparison of prompts."""

    against = Name(
        name_problem,
        load_default=None,
        metadata={"description": "Another prompt to compare with. Left out: this one, as it was at `from`."},
    )


class DefaultDiffQuerySchema(_SidesQuerySchema):
    """The two sides of a comparison of the default."""

    from_ = Reference(
        data_key="from", required=True, metadata={"description": "The commit, tag, label or time to compare with."}
    )


class ComparedSchema(StrictSchema):
    """One side of a comparison."""

    commit = Text(required=True, metadata={"description": "The commit at which it was read."})
    version = Text(required=True, metadata={"description": "Its version then: the blob id of its file."})
    changed = Part(CommitSchema, required=True, metadata={"description": "The commit that wrote this version."})


class ComparedTargetSchema(ComparedSchema):
    """A target, as one side of a comparison."""

    class Meta:
        """In this order."""

        fields = ("target_name", "commit", "version", "changed")

    target_name = Text(required=True, metadata={"description": "The target's name."})


class ComparedPromptSchema(ComparedSchema):
    """A prompt, as one side of a comparison."""

    class Meta:
        """In this order."""

        fields = ("prompt_name", "commit", "version", "changed")

    prompt_name = Text(required=True, metadata={"description": "The prompt's name."})


class TargetDiffSchema(ComparisonSchema):
    """How the configs of two targets differ, or of one at two commits."""

    class Meta:
        """In this order."""

        fields = _IN_THIS_ORDER

    from_ = Part(ComparedTargetSchema, data_key="from", required=True, metadata=_FROM)
    to = Part(ComparedTargetSchema, required=True, metadata=_TO)


class PromptDiffSchema(ComparisonSchema):
    """How two prompts differ, or one at two commits."""

    class Meta:
        """In this order."""

        fields = _IN_THIS_ORDER

    from_ = Part(ComparedPromptSchema, data_key="from", required=True, metadata=_FROM)
    to = Part(ComparedPromptSchema, required=True, metadata=_TO)


class DefaultDiffSchema(ComparisonSchema):
    """How the config of the default differs at two commits."""

    class Meta:
        """In this order."""

        fields = _IN_THIS_ORDER

    from_ = Part(ComparedSchema, data_key="from", required=True, metadata=_FROM)
    to = Part(ComparedSchema, required=True, metadata=_TO)


class RevertSchema(StrictSchema):
    """The version to restore."""

    to = Reference(
        required=True,
        metadata={"description": "The commit, tag, label or time whose version to restore."},
    )

"""Requests and answers about explanations, drift, rebase and revert."""

from marshmallow import fields

from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part, Warnings
from app.schemas.fields import Choice, Flag, Integer, Reference, Text
from app.schemas.history import ComparisonSchema
from app.schemas.revisions import PersonSchema
from app.schemas.targets import TargetConfigSchema

LAYERS = ("overrides", "template", "default")
STATES = ("current", "drifted", "template_gone")
_UNWRITTEN = "; null in a preview, which is not written"


class LayerSchema(StrictSchema):
    """One version of a target or of the default, as a change to the layer below it."""

    layer = Choice(
        LAYERS,
        required=True,
        metadata={"description": "The target's own `overrides`, those of a `template`, or the `default`."},
    )
    name = Text(
        required=True,
        allow_none=True,
        metadata={"description": f"The target's name, or `default`{_UNWRITTEN}."},
    )
    version = Text(required=True, allow_none=True, metadata={"description": f"Its version: a blob id{_UNWRITTEN}."})


class WrittenLayerSchema(LayerSchema):
    """A layer, and the commit that wrote it."""

    commit = Text(required=True, allow_none=True, metadata={"description": f"The commit{_UNWRITTEN}."})
    author = Part(
        PersonSchema,
        required=True,
        allow_none=True,
        metadata={"description": f"The author of the commit{_UNWRITTEN}."},
    )
    time = Text(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": f"The time of the commit{_UNWRITTEN}."},
    )


class BeatenSchema(LayerSchema):
    """A value that a layer above replaced."""

    value = fields.Raw(required=True, allow_none=True, metadata={"description": "The value; null removes the field."})


class FieldSchema(WrittenLayerSchema):
    """A field, the layer that set it, and the commit that put the value there."""

    class Meta:
        """In this order."""

        fields = ("field", "value", "layer", "name", "version", "commit", "author", "time", "beaten")

    field = Text(required=True, metadata={"description": "Its place in `config`: a JSON Pointer (RFC 6901)."})
    value = fields.Raw(
        required=True, allow_none=True, metadata={"description": "The value; null: the field was removed."}
    )
    beaten = ListOf(
        Part(BeatenSchema),
        required=True,
        metadata={"description": "The values of the layers below, from the top down."},
    )


class ExplainedSchema(StrictSchema):
    """The origin of each value of a config."""

    layers = ListOf(
        Part(WrittenLayerSchema),
        required=True,
        metadata={"description": "The layers that the config was resolved from, from the top down."},
    )
    fields_ = ListOf(
        Part(FieldSchema),
        data_key="fields",
        required=True,
        metadata={"description": "Each field of `config`."},
    )
    removed = ListOf(Part(FieldSchema), required=True, metadata={"description": "The fields that a null removed."})


class ExplanationSchema(ExplainedSchema):
    """The origin of each value of a target."""

    class Meta:
        """In this order."""

        fields = ("target_name", "layers", "fields_", "removed")

    target_name = Text(required=True, metadata={"description": "The target's name."})


class PreviewSchema(ExplainedSchema):
    """The config that a request leads to, and the origin of each value."""

    class Meta:
        """In this order."""

        fields = ("config", "layers", "fields_", "removed", "warnings")

    warnings = Warnings()
    config = Part(TargetConfigSchema, required=True, metadata={"description": "The resolved configuration."})


class DriftSchema(ComparisonSchema):
    """The changes if a target were resolved on today's template."""

    class Meta:
        """In this order."""

        fields = ("target_name", "template", "state", "operations", "changes")

    target_name = Text(required=True, metadata={"description": "The target's name."})
    template = Text(required=True, metadata={"description": "The template that it is resolved on."})
    state = Choice(
        STATES,
        required=True,
        metadata={"description": "Whether its template is at the recorded version, at another one, or gone."},
    )


class DescendantSchema(DriftSchema):
    """A target that was made from another, and its drift."""

    class Meta:
        """In this order."""

        fields = ("target_name", "depth", "template", "state", "operations", "changes")

    depth = Integer(1, required=True, metadata={"description": "1: made from it; 2: from one of those; …."})


class DescendantListSchema(StrictSchema):
    """The targets that were made from a target."""

    descendants = ListOf(
        Part(DescendantSchema), required=True, metadata={"description": "At any depth, parents first."}
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

        fields = ("target_name", "template", "template_version", "operations", "changes")

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


class RevertSchema(StrictSchema):
    """The version of a target to restore."""

    to = Reference(
        required=True,
        metadata={"description": "The commit, tag or time whose version of the target to restore."},
    )

"""Requests and answers about explanations."""

from marshmallow import fields

from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part, Warnings
from app.schemas.fields import Choice, Flag, Integer, QueryFlag, QueryInteger, Text
from app.schemas.history import FULL, CommitSchema, CutSchema, FullQuerySchema
from app.schemas.targets import TargetConfigSchema

OFFSET = {"description": "How many to skip, as `next` says."}
LAYERS = ("overrides", "template", "default")
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

    commit = Text(
        required=True,
        allow_none=True,
        metadata={"description": f"The commit, which `commits` tells about{_UNWRITTEN}."},
    )


class ValueSchema(StrictSchema):
    """A value, or `value_cut` instead of a long one."""

    value = fields.Raw(allow_none=True, metadata={"description": "The value; null: the field is removed."})
    value_cut = Part(
        CutSchema, metadata={"description": "Instead of `value`: a value of more than 4096 bytes as JSON."}
    )


class BeatenSchema(ValueSchema, LayerSchema):
    """A value that a layer above replaced."""

    class Meta:
        """In this order."""

        fields = ("layer", "name", "version", "value", "value_cut")


class FieldSchema(ValueSchema, WrittenLayerSchema):
    """A field, the layer that set it, and the commit that put the value there."""

    class Meta:
        """In this order."""

        fields = (
            *("field", "value", "value_cut", "layer", "name", "version"),
            *("commit", "may_be_older", "beaten"),
        )

    field = Text(required=True, metadata={"description": "Its place in `config`: a JSON Pointer (RFC 6901)."})
    may_be_older = Flag(
        metadata={"description": "True where earlier versions were too much to read, and may have the value, too."}
    )
    beaten = ListOf(
        Part(BeatenSchema),
        required=True,
        metadata={"description": "The values of the layers below, from the top down."},
    )


class PreviewQuerySchema(StrictSchema):
    """The page of fields to show."""

    full = QueryFlag(load_default=False, metadata=FULL)
    offset = QueryInteger(0, 10**9, load_default=0, metadata=OFFSET)


class ExplainQuerySchema(FullQuerySchema):
    """The page of fields to show."""

    offset = QueryInteger(0, 10**9, load_default=0, metadata=OFFSET)


class NextExplanationSchema(StrictSchema):
    """Where an explanation goes on: the target to explain next, and the query."""

    target_name = Text(
        required=True,
        allow_none=True,
        metadata={"description": f"This target, or the template that the next layers begin with{_UNWRITTEN}."},
    )
    ref = Text(required=True, allow_none=True, metadata={"description": f"The commit to read it at{_UNWRITTEN}."})
    offset = Integer(0, required=True, metadata={"description": "How many of its fields to skip."})


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
    commits = fields.Dict(
        values=Part(CommitSchema),
        required=True,
        metadata={"description": "The commits that layers and fields name, by id."},
    )
    next = Part(
        NextExplanationSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Where the next page is; null: there is none."},
    )


class ExplanationSchema(ExplainedSchema):
    """The origin of each value of a target."""

    class Meta:
        """In this order."""

        fields = ("target_name", "layers", "fields_", "removed", "commits", "next")

    target_name = Text(required=True, metadata={"description": "The target's name."})


class PreviewSchema(ExplainedSchema):
    """The config that a request leads to, and the origin of each value."""

    class Meta:
        """In this order."""

        fields = ("config", "layers", "fields_", "removed", "commits", "next", "warnings")

    warnings = Warnings()
    config = Part(TargetConfigSchema, required=True, metadata={"description": "The resolved configuration."})

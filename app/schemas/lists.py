"""Requests and answers about lists of targets with their values."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from marshmallow import ValidationError, fields

from app.domain import conditions, field_paths, ordering
from app.domain.conditions import Condition, ConditionProblem
from app.domain.field_paths import FieldPath, UnknownField
from app.domain.names import template_problem
from app.domain.ordering import Order
from app.schemas.base import Mistake, StrictSchema
from app.schemas.comparison import cursor_field
from app.schemas.containers import JsonObject, ListOf, Part
from app.schemas.fields import FARTHEST, Integer, Matching, Name, QueryInteger, Text
from app.schemas.history import CommitSchema, CutSchema, FullQuerySchema
from app.schemas.targets import TargetConfigSchema

INCLUDED = ("config", "template", "version", "changed")
_MOST_FIELDS = 50
_LONGEST = 2000  # characters of a parameter
_MOST_TARGETS = 10_000


class Bounded(Text):
    """A text of a query that is not too long, which a function reads."""

    def __init__(self, read: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"maxLength": _LONGEST, **self.metadata}
        self._read = read

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        if len(text) > _LONGEST:
            raise ValidationError([Mistake("string_too_long", f"This must have {_LONGEST} characters at most")])
        return self._read(text)


def _read_included(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in INCLUDED:
            mistake = f"'{name[:100]}' is none of {', '.join(INCLUDED)}, with commas between them"
            raise ValidationError([Mistake("literal_error", mistake)])
    return tuple(dict.fromkeys(names))


def _read_fields(text: str) -> tuple[FieldPath, ...]:
    names = [name.strip() for name in text.split(",")]
    if len(names) > _MOST_FIELDS:
        raise ValidationError(
            [Mistake("too_long", f"There are more than {_MOST_FIELDS} fields: ask for fewer at once")]
        )
    found: dict[str, FieldPath] = {}
    mistakes = []
    for name in names:
        try:
            found[name] = field_paths.read(name)
        except UnknownField as error:
            mistakes.append(Mistake("extra_forbidden", str(error)))
    if mistakes:
        raise ValidationError(mistakes)
    _refuse_nested(list(found.values()))
    return tuple(found.values())


def _refuse_nested(paths: Sequence[FieldPath]) -> None:
    """Refuse paths of which three lie within each other: the same value would be written again and again."""
    for path in paths:
        around = [other.text for other in paths if other.keys == path.keys[: len(other.keys)]]
        if len(around) > 2:
            mistake = (
                f"'{path.text[:100]}' is shown {len(around)} times, also within '{around[0][:100]}': twice at most"
            )
            raise ValidationError([Mistake("value_error", mistake)])


def _read_conditions(text: str) -> tuple[Condition, ...]:
    try:
        return tuple(conditions.read(text))
    except ConditionProblem as error:
        raise ValidationError([Mistake("value_error", str(error))]) from error


class TargetListQuerySchema(FullQuerySchema):
    """Which targets to list, and what to show of each."""

    include = Bounded(
        _read_included,
        load_default=(),
        metadata={
            "description": "What to show of each target, with commas: `config`, `template`, `version`, `changed`."
        },
    )
    fields_ = Bounded(
        _read_fields,
        data_key="fields",
        load_default=(),
        metadata={
            "description": "Which fields of each config to show, with commas: `temperature,generators.0.numq`. A JSON "
            "Pointer (`/extra_kwargs/a.b`) for names with dots."
        },
    )
    q = Matching(
        "[A-Za-z0-9._-]{1,100}",
        "This must be a part of a name: letters, digits, '.', '_' and '-'",
        load_default=None,
        metadata={"description": "Only targets whose name contains this, in upper or lower case."},
    )
    template = Name(
        template_problem,
        load_default=None,
        metadata={"description": "Only targets that are resolved on this template: `default`, or a target."},
    )
    descends_from = Name(
        template_problem,
        load_default=None,
        metadata={"description": "Only targets that were made from this template, directly or through others."},
    )
    where = Bounded(
        _read_conditions,
        load_default=(),
        metadata={
            "description": "Only targets whose config has such values: `temperature>1,model_name~qwen`. The operators "
            "are `=`, `!=`, `>`, `>=`, `<`, `<=`, and `~` for texts that contain a text. All conditions must hold."
        },
    )
    limit = QueryInteger(
        1,
        _MOST_TARGETS,
        load_default=None,
        metadata={"description": f"How many targets at most, 1 to {_MOST_TARGETS}; 1000 unless given."},
    )
    cursor = cursor_field()


def _read_order(text: str) -> Order:
    try:
        return ordering.read(text)
    except UnknownField as error:
        raise ValidationError([Mistake("extra_forbidden", str(error))]) from error


class TargetTableQuerySchema(TargetListQuerySchema):
    """Which targets a table has, its columns, its order, and the page of it to show."""

    class Meta:
        """A table has pages with numbers, and says of each target what the list can include."""

        exclude = ("cursor", "full", "include", "limit", "ref")

    sort = Bounded(
        _read_order,
        load_default=Order(),
        metadata={
            "description": "The column that the table is sorted by: `target_name`, `template`, `changed`, or a field. "
            "With `-` before it, the greatest comes first."
        },
    )
    page = QueryInteger(1, FARTHEST, load_default=1, metadata={"description": "The page to show, from 1."})
    after = Bounded(str, load_default="", metadata={"description": "Only targets whose names come after this one."})


class TargetItemSchema(StrictSchema):
    """A target in a list, with what was asked for."""

    class Meta:
        """A schema has an attribute `fields` already."""

        include: ClassVar[dict[str, Any]] = {
            "fields": JsonObject(
                metadata={"description": "The fields that were asked for and that it has, by the path that was sent."}
            )
        }

    target_name = Text(required=True, metadata={"description": "The target's name."})
    template = Text(metadata={"description": "The template that it is resolved on."})
    version = Text(metadata={"description": "Its version: the blob id of its file."})
    config = Part(TargetConfigSchema, metadata={"description": "Its resolved configuration, without long values."})
    config_cut = fields.Dict(
        values=Part(CutSchema),
        metadata={"description": "The fields of `config` of more than 4096 bytes as JSON, by name."},
    )
    fields_cut = fields.Dict(
        values=Part(CutSchema),
        metadata={"description": "Those of `fields` of more than 4096 bytes as JSON, by the path that was sent."},
    )
    changed = Text(metadata={"description": "The last commit that changed it, which `commits` tells about."})


class TargetPageSchema(StrictSchema):
    """Some of the targets that were asked for, by name."""

    targets = ListOf(
        Part(TargetItemSchema),
        required=True,
        metadata={
            "description": "The targets, by name; fewer than `limit`, or none, where much had to be read or sent."
        },
    )
    commits = fields.Dict(
        values=Part(CommitSchema), metadata={"description": "The commits that `changed` names, by id."}
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The `cursor` of the next page; null: there is none."},
    )
    commit = Text(required=True, metadata={"description": "The commit that all pages are read at."})
    total = Integer(
        0,
        required=True,
        allow_none=True,
        metadata={"description": "How many targets all pages have; null with `where`, since not all were looked at."},
    )

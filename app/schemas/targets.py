"""Requests and answers about targets."""

from collections.abc import Iterable
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, validates_schema

from app.domain.names import PATTERNS, name_problem, target_name_problem, template_problem
from app.domain.resolution import CONFIG_FIELDS, DEPRECATED_FIELDS, GENERATOR_FIELDS
from app.schemas.base import Mistake, StrictSchema
from app.schemas.containers import JsonObject, ListOf, Names, Part, Unchecked, Warnings
from app.schemas.fields import Choice, Flag, Integer, Name, Number, Text

GENERATOR_TYPES = ("oneshot_qs", "hardcoded", "persona", "from_dataset", "custom")
_NEEDED_BY_TYPE = {"hardcoded": ("questions", "array"), "from_dataset": ("dataset", "string")}
_LARGEST_QUESTION_TEMPLATE = 1024 * 1024  # bytes
_FILE_PATTERN = rf"^$|^(.*/)?{PATTERNS[name_problem][1:]}"


class GeneratorSchema(StrictSchema):
    """One way to generate questions."""

    type = Choice(GENERATOR_TYPES, required=True, metadata={"description": "What kind of generator this is."})
    model = Text(allow_none=True, metadata={"description": "The model that writes the questions."})
    dataset = Text(allow_none=True, metadata={"description": "The dataset; needed by `from_dataset`."})
    template_path = Text(allow_none=True, metadata={"description": "The question template: `templates/<file name>`."})
    numq = Integer(1, allow_none=True, metadata={"description": "How many questions, 1 or more."})
    max_tokens = Integer(1, allow_none=True, metadata={"description": "Tokens a question, 1 or more."})
    temperature = Number(0.0, 2.0, allow_none=True, metadata={"description": "Sampling temperature, 0.0 to 2.0."})
    questions = ListOf(Text(), allow_none=True, metadata={"description": "The questions; needed by `hardcoded`."})
    seed = Integer(allow_none=True, metadata={"description": "Random seed."})
    rollout_with_conditioned = Flag(
        allow_none=True, metadata={"description": "Roll out with the student prompt, not the teacher prompt."}
    )


class GeneratorInputSchema(GeneratorSchema):
    """A generator as a request gives it."""

    # The checks below, as JSON Schema.
    json_schema: ClassVar[dict[str, Any]] = {
        "allOf": [
            *(
                {
                    "if": {"properties": {"type": {"const": type_}}},
                    "then": {"required": [needed], "properties": {needed: {"type": kind}}},
                }
                for type_, (needed, kind) in _NEEDED_BY_TYPE.items()
            ),
            {
                "if": {
                    "required": ["template_content"],
                    "properties": {"template_content": {"type": "string"}},
                },
                "then": {"properties": {"template_path": {"pattern": _FILE_PATTERN}}},
            },
        ]
    }

    template_content = Text(
        allow_none=True,
        metadata={"description": "The question template itself: at most 1 MiB, kept in `templates/`."},
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _check_needed(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        needed, _kind = _NEEDED_BY_TYPE.get(data.get("type", ""), (None, None))
        if needed and original.get(needed) is None:
            message = f"A generator of type {data['type']} needs this field"
            raise ValidationError({needed: [Mistake("missing", message)]})

    @validates_schema(skip_on_field_errors=False)
    def _check_question_template(self, data: dict[str, Any], **_: Any) -> None:
        content = data.get("template_content")
        if content is None:
            return
        if len(content.encode()) > _LARGEST_QUESTION_TEMPLATE:
            mistake = Mistake("string_too_long", "A question template must not be larger than 1 MiB")
            raise ValidationError({"template_content": [mistake]})
        path = data.get("template_path")
        problem = name_problem(path.rpartition("/")[2]) if path else None
        if problem:
            mistake = Mistake("string_pattern_mismatch", f"The file name {problem}")
            raise ValidationError({"template_path": [mistake]})


class TargetConfigSchema(StrictSchema):
    """A target's resolved configuration. A field without a value is left out."""

    teacher_prompt = Name(
        name_problem, metadata={"description": "The teacher prompt's name: the unconditioned stimulus."}
    )
    student_prompt = Name(
        name_problem,
        empty=True,
        metadata={"description": "The student prompt's name, or empty: the conditioned stimulus."},
    )
    generators = ListOf(Part(GeneratorSchema), metadata={"description": "Where questions come from."})
    model_name = Text(metadata={"description": "The model to roll out with."})
    num_traj_per_stimulus = Integer(1, metadata={"description": "Trajectories a stimulus, 1 or more."})
    max_concurrency = Integer(1, metadata={"description": "Requests at a time, 1 or more."})
    max_tokens = Integer(1, metadata={"description": "Tokens to generate, 1 or more."})
    temperature = Number(0.0, 2.0, metadata={"description": "Sampling temperature, 0.0 to 2.0."})
    extra_kwargs = JsonObject(metadata={"description": "Anything else for the completion call."})


class OverridesSchema(TargetConfigSchema):
    """The fields that a target changes on its template. Null removes a field of the template."""

    generators = ListOf(Part(GeneratorInputSchema), metadata={"description": "Where questions come from."})
    u = Name(name_problem, metadata={"description": "Deprecated name of `teacher_prompt`."})
    v = Name(name_problem, empty=True, metadata={"description": "Deprecated name of `student_prompt`."})

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:  # noqa: ARG002 — Marshmallow's hook
        """Let every field be null."""
        field_obj.allow_none = True


class TargetPutSchema(StrictSchema):
    """The template and the overrides of a target."""

    template = Name(
        template_problem,
        required=True,
        metadata={"description": "`default`, or the name of a target of this repo."},
    )
    overrides = Part(
        OverridesSchema, allow_none=True, metadata={"description": "The fields to change on the template."}
    )


class TargetCreateSchema(TargetPutSchema):
    """A new target."""

    target_name = Name(target_name_problem, new=True, required=True, metadata={"description": "The target's name."})


class TargetSchema(StrictSchema):
    """A target."""

    target_name = Text(required=True, metadata={"description": "The target's name."})
    config = Part(TargetConfigSchema, required=True, metadata={"description": "Its resolved configuration."})


class WrittenTargetSchema(TargetSchema):
    """A target, as a request left it."""

    warnings = Warnings()


class TargetListSchema(StrictSchema):
    """The targets of a repo."""

    targets = Names(required=True, metadata={"description": "Their names, sorted."})


class TargetBatchSchema(StrictSchema):
    """Targets to create or replace in one commit."""

    targets = ListOf(
        Unchecked(Part(TargetCreateSchema)),
        required=True,
        metadata={"description": "The targets, in order: a later one may have an earlier one as template."},
    )


class DefaultTargetPutSchema(StrictSchema):
    """A new default template."""

    config = Part(
        OverridesSchema,
        required=True,
        metadata={"description": "The whole config. A field that is null or left out has no value."},
    )


class DefaultTargetSchema(StrictSchema):
    """The template called `default`, which every repo has."""

    config = Part(TargetConfigSchema, required=True, metadata={"description": "The resolved configuration."})


class WrittenDefaultTargetSchema(DefaultTargetSchema):
    """The template called `default`, as a request left it."""

    warnings = Warnings()


def require_fields(schema: type[Schema], stored: tuple[str, ...], taken: Iterable[str] = ()) -> None:
    """Raise TypeError unless a schema has the fields `stored`, in that order, and then the fields `taken`.

    The fields `taken` are accepted and not stored. Resolution stores only the fields that it knows, so it would
    drop any other in silence.
    """
    declared = tuple(schema().fields)
    if declared != (*stored, *taken):
        differing = ", ".join(sorted({*declared} ^ {*stored, *taken})) or "their order"
        raise TypeError(f"{schema.__name__} and app/domain/resolution.py differ in: {differing}")


require_fields(GeneratorSchema, GENERATOR_FIELDS)
require_fields(GeneratorInputSchema, GENERATOR_FIELDS, ["template_content"])
require_fields(TargetConfigSchema, CONFIG_FIELDS)
require_fields(OverridesSchema, CONFIG_FIELDS, DEPRECATED_FIELDS)

"""Requests and answers about question templates."""

from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Names, Part
from app.schemas.fields import Integer, Text
from app.schemas.rebase import NextSchema


class QuestionTemplateSchema(StrictSchema):
    """A file in `templates/`, and who owns it."""

    file_name = Text(required=True, metadata={"description": "The name of the file."})
    version = Text(required=True, metadata={"description": "Its version: a blob id."})
    size = Integer(0, required=True, metadata={"description": "How many bytes it has."})
    owners = Names(
        required=True,
        metadata={
            "description": "The targets, and `default`, that have this version in their `files`: the first 100, sorted."
        },
    )
    owners_count = Integer(0, required=True, metadata={"description": "How many own it."})


class QuestionTemplateListSchema(StrictSchema):
    """The question templates of a repo."""

    question_templates = ListOf(
        Part(QuestionTemplateSchema), required=True, metadata={"description": "The files, by name."}
    )
    next = Part(
        NextSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The query of the next page; null: there is none."},
    )


class WholeQuestionTemplateSchema(QuestionTemplateSchema):
    """A file in `templates/`, its content, and who names it."""

    class Meta:
        """In this order."""

        fields = (
            *("file_name", "version", "size", "content", "content_base64"),
            *("owners", "owners_count", "used_by", "used_by_count"),
        )

    content = Text(required=True, allow_none=True, metadata={"description": "The text; null where it is not UTF-8."})
    content_base64 = Text(metadata={"description": "The bytes in Base64 (RFC 4648), where they are not UTF-8."})
    used_by = Names(
        required=True,
        metadata={"description": "The targets, and `default`, that own or name it: the first 100, sorted."},
    )
    used_by_count = Integer(0, required=True, metadata={"description": "How many own or name it."})

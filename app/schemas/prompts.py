"""Requests and answers about prompts."""

from marshmallow import INCLUDE

from app.domain.names import name_problem
from app.schemas.base import StrictSchema
from app.schemas.containers import Content, JsonObject, KeptPart, ListOf, MapOf, Names, Unchecked
from app.schemas.fields import Name, Text

_MESSAGES = "The messages, in order; kept as they are, to the byte."


class MessageSchema(StrictSchema):
    """A message. Any further fields, such as `tool_calls`, are kept as they are."""

    class Meta:
        """Keep unknown fields."""

        unknown = INCLUDE

    role = Text(filled=True, required=True, metadata={"description": "Who speaks: `system`, `user`, …."})
    content = Content(metadata={"description": "The content: text, a list of objects, or null."})


class MessagesSchema(StrictSchema):
    """The messages of a prompt."""

    messages = ListOf(KeptPart(MessageSchema), required=True, metadata={"description": _MESSAGES})


class PromptPutSchema(MessagesSchema):
    """The content of a prompt."""

    tools = ListOf(
        JsonObject(),
        allow_none=True,
        metadata={"description": "The tools that a model may call, as objects; null: none."},
    )


class PromptCreateSchema(PromptPutSchema):
    """A new prompt."""

    prompt_name = Name(name_problem, new=True, required=True, metadata={"description": "The prompt's name."})


class PromptSchema(StrictSchema):
    """A prompt."""

    prompt_name = Text(required=True, metadata={"description": "The prompt's name."})
    messages = ListOf(KeptPart(MessageSchema), required=True, metadata={"description": _MESSAGES})
    tools = ListOf(JsonObject(), metadata={"description": "The tools; left out where the prompt has none."})


class PromptListSchema(StrictSchema):
    """The prompts of a repo."""

    prompts = Names(required=True, metadata={"description": "Their names, sorted."})


class PromptBatchSchema(StrictSchema):
    """Prompts to create or replace in one commit."""

    prompts = MapOf(
        name_problem,
        Unchecked(ListOf(KeptPart(MessageSchema))),
        required=True,
        metadata={"description": "The messages of each prompt, by its name."},
    )

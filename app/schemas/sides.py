"""What a page compares: two commits, and of the repo all, or one thing, or two."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from app.domain.names import name_problem, target_name_problem
from app.schemas.base import Mistake, StrictSchema
from app.schemas.fields import Choice, Name, QueryFlag, QueryInteger, Reference
from app.schemas.log_filters import path_filter

_SIDE = "The commit, tag, label or time on the {} side; `main` is what there is now."
_VIEWS = ("fields", "text")


class SidesQuerySchema(StrictSchema):
    """The two sides of a comparison. Without `target`, `prompt` and `default` it is that of the whole repo."""

    left = Reference(required=True, metadata={"description": _SIDE.format("left")})
    right = Reference(required=True, metadata={"description": _SIDE.format("right")})
    target = Name(target_name_problem, load_default=None, metadata={"description": "The target to compare."})
    prompt = Name(name_problem, load_default=None, metadata={"description": "The prompt to compare."})
    default = QueryFlag(load_default=False, metadata={"description": "Compare the template called `default`."})
    against = Name(
        name_problem,
        load_default=None,
        metadata={"description": "Another target, or prompt, on the left side. Left out: the same one."},
    )
    path = path_filter("Of the repo, only such files")
    view = Choice(_VIEWS, load_default="fields", metadata={"description": "As fields, or as git shows it."})
    offset = QueryInteger(0, 10_000_000, load_default=0, metadata={"description": "How many files or fields to skip."})

    @validates_schema
    def _check_one(self, data: dict[str, Any], **_: Any) -> None:
        named = [name for name in ("target", "prompt", "default") if data[name]]
        if len(named) > 1:
            raise ValidationError({named[1]: [Mistake("value_error", f"There is a {named[0]} already: name one only")]})
        if data["against"] and not (data["target"] or data["prompt"]):
            mistake = Mistake("value_error", "This is another target or prompt: name the one on the right side, too")
            raise ValidationError({"against": [mistake]})

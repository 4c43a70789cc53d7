"""Requests and answers about labels, and about what was in force under one."""

from typing import Any

from marshmallow import ValidationError

from app.domain import reasons
from app.domain.names import label_name_problem, user_id_problem
from app.schemas.base import Mistake, StrictSchema
from app.schemas.containers import ListOf, Names, Part, Warnings
from app.schemas.fields import Flag, Integer, Matching, Name, QueryInteger, Reference, Text
from app.schemas.history import CommitSchema
from app.schemas.revisions import RefQuerySchema

_MOST_USERS = 100
_TIME = {"format": "date-time"}
_PROTECTED = (
    "The users who may move the label, beside the owner of the repo and the master key; "
    "null: everybody who may write to the repo."
)
_NEXT = {"description": "What to give as `before` for the next page; null: there is none."}


class UserIds(ListOf):
    """A list of users, kept sorted, each once."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(Name(user_id_problem), **kwargs)
        self.metadata = {"maxItems": most, **self.metadata}
        self._most = most

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self._most:
            raise ValidationError([Mistake("too_long", f"This may have {self._most} items at most")])
        return sorted({str(user_id) for user_id in super()._deserialize(value, *args, **kwargs)})


class Reason(Text):
    """Why a change is made, by the rules of the header `X-Change-Reason`, and not percent-encoded."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str | None:  # type: ignore[override]
        try:
            return reasons.checked(super()._deserialize(value, *args, **kwargs))
        except ValueError as error:
            raise ValidationError([Mistake("value_error", f"This {error}")]) from error


class LabelPutSchema(StrictSchema):
    """Where a label belongs, and who may move it."""

    ref = Reference(
        required=True,
        metadata={
            "description": "The commit: its id, a tag, another label, or a time. The label's own name: it stays there."
        },
    )
    reason = Reason(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Why it is moved; the same as the header `X-Change-Reason`.",
            "maxLength": reasons.LONGEST,
        },
    )
    protected = UserIds(_MOST_USERS, allow_none=True, metadata={"description": f"{_PROTECTED} Left out: as it is."})
    dry_run = Flag(load_default=False, metadata={"description": "Only show what would change."})


class NewLabelSchema(LabelPutSchema):
    """A new label."""

    name = Name(label_name_problem, new=True, required=True, metadata={"description": "The label's name."})


class LabelSchema(StrictSchema):
    """A label."""

    name = Text(required=True, metadata={"description": "The label's name."})
    commit = Text(required=True, metadata={"description": "The commit that it is on."})
    protected = ListOf(Text(), required=True, allow_none=True, metadata={"description": _PROTECTED})


class MovedLabelSchema(LabelSchema):
    """A label, and who moved it last."""

    moved = Part(
        CommitSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The commit that moved it last, or changed who may move it; null: none has, yet."},
    )


class ListedLabelSchema(MovedLabelSchema):
    """A label in a list."""

    commit = Text(required=True, allow_none=True, metadata={"description": "The commit that it is on, or null."})
    note = Text(metadata={"description": "Why `commit` is null: somebody wrote the file by hand."})


class LabelListSchema(StrictSchema):
    """The labels of a repo."""

    labels = ListOf(Part(ListedLabelSchema), required=True, metadata={"description": "The labels, by name."})


class ChangedTargetsSchema(StrictSchema):
    """The targets that differ between two commits."""

    created = Integer(0, required=True, metadata={"description": "How many are new."})
    updated = Integer(0, required=True, metadata={"description": "How many have another version."})
    deleted = Integer(0, required=True, metadata={"description": "How many are gone."})
    names = Names(required=True, metadata={"description": "Their names, sorted: the first 100."})


class LabelMovedSchema(MovedLabelSchema):
    """A label that was moved, or would be."""

    class Meta:
        """In this order."""

        fields = ("name", "commit", "protected", "moved", "from_", "targets", "dry_run", "warnings")

    from_ = Text(
        data_key="from", required=True, allow_none=True, metadata={"description": "Where it was; null: it is new."}
    )
    targets = Part(
        ChangedTargetsSchema,
        required=True,
        metadata={"description": "The targets that differ between the two commits; of a new label, all that it has."},
    )
    dry_run = Flag(required=True, metadata={"description": "Whether nothing was written."})
    warnings = Warnings()


class MovesQuerySchema(RefQuerySchema):
    """The page of moves to show, newest first."""

    limit = QueryInteger(1, 100, load_default=20, metadata={"description": "How many at most, 1 to 100."})
    before = Matching(
        "[0-9a-f]{4,40}",
        "This must be the id of a commit, or at least the first 4 digits of one",
        load_default=None,
        metadata={"description": "Only moves before this commit: `next` of the page before."},
    )


class MoveSchema(CommitSchema):
    """A commit that created, moved or deleted a label, or changed who may move it."""

    from_ = Text(
        data_key="from",
        required=True,
        allow_none=True,
        metadata={"description": "Where it was; null: it was not there."},
    )
    to = Text(required=True, allow_none=True, metadata={"description": "Where it came to; null: it was deleted."})
    protected = ListOf(Text(), required=True, allow_none=True, metadata={"description": _PROTECTED})
    note = Text(metadata={"description": "Why `to` is null, where the label was not deleted."})


class MoveListSchema(StrictSchema):
    """The history of a label."""

    moves = ListOf(Part(MoveSchema), required=True, metadata={"description": "The moves, newest first."})
    next = Text(required=True, allow_none=True, metadata=_NEXT)


class TimelineQuerySchema(MovesQuerySchema):
    """The label, and the page of periods to show, newest first."""

    label = Name(
        label_name_problem,
        load_default=None,
        metadata={"description": "The label. Left out: `main`, so each version was live from its own commit on."},
    )


class PeriodSchema(StrictSchema):
    """A time in which one version of a target was live."""

    class Meta:
        """In this order."""

        fields = ("version", "commit", "from_", "to", "moves", "moved_by", "may_be_older")

    version = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "The version that was live: its blob id; null: there was no such target, or no label."
        },
    )
    commit = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The commit that the label came to; null: the label was deleted."},
    )
    from_ = Text(data_key="from", required=True, metadata={**_TIME, "description": "From when on it was live."})
    to = Text(required=True, allow_none=True, metadata={**_TIME, "description": "Until when; null: it is live still."})
    moves = Integer(
        1,
        required=True,
        metadata={"description": "How many moves the period has: all but the first left the target as it was."},
    )
    moved_by = Part(CommitSchema, required=True, metadata={"description": "The move that brought it, its first."})
    may_be_older = Flag(metadata={"description": "True where the period began earlier still: the next page goes on."})


class TimelineSchema(StrictSchema):
    """Which version of a target was live, from when to when, and by whose move."""

    target_name = Text(required=True, metadata={"description": "The target's name."})
    label = Text(required=True, metadata={"description": "The label, or `main`."})
    periods = ListOf(Part(PeriodSchema), required=True, metadata={"description": "The periods, newest first."})
    next = Text(required=True, allow_none=True, metadata=_NEXT)

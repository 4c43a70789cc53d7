"""What happened in a repo, as answers show it."""

from typing import Any

from marshmallow import fields

from app.domain.names import target_name_problem
from app.schemas.base import StrictSchema
from app.schemas.containers import JsonObject, ListOf, Part
from app.schemas.fields import Choice, Matching, Name, QueryInteger, Reference, Text, Timestamp
from app.schemas.revisions import PersonSchema, RefQuerySchema

ACTIONS = ("created", "updated", "deleted")
# Folders and a file name, none of them `.` or `..`; a slash may end it.
_PATH = r"(?=.{1,1000}$)((?!\.{1,2}(/|$))[^/\x00-\x1f\x7f]+(/|$))+"
_TIME = {"format": "date-time"}


class PageQuerySchema(RefQuerySchema):
    """Which commits to show, newest first."""

    limit = QueryInteger(
        1, 100, load_default=20, metadata={"description": "How many commits at most, 1 to 100."}
    )
    before = Matching(
        "[0-9a-f]{4,40}",
        "This must be the id of a commit, or at least the first 4 digits of one",
        load_default=None,
        metadata={"description": "Only commits before this one: `next` of the page before."},
    )


class LogQuerySchema(PageQuerySchema):
    """Which commits of a repo to show."""

    author = Matching(
        r"[^\x00-\x1f\x7f]{1,200}",
        "This must have 1 to 200 characters, and be on one line",
        load_default=None,
        metadata={"description": "Only by whose name or address contains this, in upper or lower case."},
    )
    since = Timestamp(load_default=None, metadata={"description": "Only commits from this time on."})
    until = Timestamp(load_default=None, metadata={"description": "Only commits up to this time."})
    path = Matching(
        _PATH,
        "This must be a path such as 'targets' or 'targets/coding_target.yml'",
        load_default=None,
        metadata={"description": "Only commits that changed this file, or something in this folder."},
    )


class DiffQuerySchema(StrictSchema):
    """What to compare."""

    from_ = Reference(
        data_key="from",
        load_default=None,
        metadata={
            "description": "The commit, tag or time to compare with. With `against` it may be left out: it "
            "is `to` then."
        },
    )
    to = Reference(
        load_default=None, metadata={"description": "The commit, tag or time to compare. Left out: now."}
    )
    against = Name(
        target_name_problem,
        load_default=None,
        metadata={"description": "Another target to compare with. Left out: this one, as it was at `from`."},
    )


class ChangeSchema(StrictSchema):
    """A field that changed. A value that is left out is none."""

    field = Text(required=True, metadata={"description": "Where it is: a JSON Pointer (RFC 6901)."})
    old = fields.Raw(allow_none=True, metadata={"description": "The value before."})
    new = fields.Raw(allow_none=True, metadata={"description": "The value after."})


class CommitSchema(StrictSchema):
    """Who changed something, when, and what the commit says."""

    commit = Text(required=True, metadata={"description": "The commit's id."})
    author = Part(PersonSchema, required=True, metadata={"description": "Who made the change."})
    time = Text(required=True, metadata={**_TIME, "description": "When it was made."})
    subject = Text(required=True, metadata={"description": "The first line of the commit's message."})


def _changes() -> Any:
    return ListOf(
        Part(ChangeSchema),
        required=True,
        allow_none=True,
        metadata={
            "description": "The fields that changed: of a target, those of its `config`, and what it was "
            "made from. Null where somebody wrote by hand what cannot be read."
        },
    )


def _action() -> Any:
    return Choice(ACTIONS, required=True, metadata={"description": "What became of the file."})


def _version() -> Any:
    return Text(
        required=True,
        allow_none=True,
        metadata={"description": "The file's version since then: its blob id; null where it was deleted."},
    )


class VersionSchema(CommitSchema):
    """A commit that changed a target or prompt."""

    action = _action()
    version = _version()
    changes = _changes()


class HistorySchema(StrictSchema):
    """What became of a target or prompt."""

    commits = ListOf(
        Part(VersionSchema),
        required=True,
        metadata={"description": "The commits that changed it, newest first."},
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What to give as `before` for the next page; null: there is none."},
    )


class ChangedFileSchema(StrictSchema):
    """A file that a commit changed."""

    path = Text(required=True, metadata={"description": "Where the file lies."})
    action = _action()
    version = _version()
    changes = _changes()


class LoggedCommitSchema(CommitSchema):
    """A commit, and the files that it changed."""

    files = ListOf(
        Part(ChangedFileSchema), required=True, metadata={"description": "The files that it changed."}
    )


class LogSchema(StrictSchema):
    """What happened in a repo."""

    commits = ListOf(
        Part(LoggedCommitSchema),
        required=True,
        metadata={"description": "The commits, newest first; fewer than `limit` where many files changed."},
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What to give as `before` for the next page; null: there is none."},
    )


class ComparedSchema(StrictSchema):
    """One side of a comparison."""

    target_name = Text(required=True, metadata={"description": "The target's name."})
    commit = Text(required=True, metadata={"description": "The commit that it was read at."})
    version = Text(required=True, metadata={"description": "Its version there: the blob id of its file."})


class ComparisonSchema(StrictSchema):
    """How one config differs from another."""

    operations = ListOf(
        JsonObject(),
        required=True,
        metadata={"description": "The JSON Patch (RFC 6902) from the one to the other."},
    )
    changes = ListOf(
        Part(ChangeSchema), required=True, metadata={"description": "The same, with old and new values."}
    )


class DiffSchema(ComparisonSchema):
    """How the configs of two targets differ, or of one at two commits."""

    class Meta:
        """In this order."""

        fields = ("from_", "to", "operations", "changes")

    from_ = Part(
        ComparedSchema, data_key="from", required=True, metadata={"description": "What was compared with."}
    )
    to = Part(ComparedSchema, required=True, metadata={"description": "What was compared."})

"""Requests and answers about the history of a repo."""

from marshmallow import fields

from app.schemas.base import StrictSchema
from app.schemas.containers import JsonObject, ListOf, Part
from app.schemas.fields import Choice, Integer, Matching, QueryFlag, QueryInteger, Text, Timestamp
from app.schemas.log_filters import field_filter, path_filter
from app.schemas.revisions import REASON, PersonSchema, RefQuerySchema

ACTIONS = ("created", "updated", "deleted")
_TIME = {"format": "date-time"}


FULL = {"description": "Show values and lists of changes whole, however long they are."}


class FullQuerySchema(RefQuerySchema):
    """The commit to read at, and whether to show all."""

    full = QueryFlag(load_default=False, metadata=FULL)


class PageQuerySchema(FullQuerySchema):
    """The page of commits to show, newest first."""

    limit = QueryInteger(1, 100, load_default=20, metadata={"description": "How many commits at most, 1 to 100."})
    before = Matching(
        "[0-9a-f]{4,40}",
        "This must be the id of a commit, or at least the first 4 digits of one",
        load_default=None,
        metadata={"description": "Only commits before this one: `next` of the page before."},
    )


class LogQuerySchema(PageQuerySchema):
    """The commits of a repo to show."""

    author = Matching(
        r"[^\x00-\x1f\x7f]{1,200}",
        "This must have 1 to 200 characters, and be on one line",
        load_default=None,
        metadata={
            "description": "Only commits by this user, if this is the id of a user; if not, only commits whose "
            "author's name or address contains this, in upper or lower case."
        },
    )
    reason = Matching(
        r"[^\x00-\x1f\x7f]{1,200}",
        "This must have 1 to 200 characters, and be on one line",
        load_default=None,
        metadata={"description": "Only commits whose reason contains this, in upper or lower case."},
    )
    since = Timestamp(load_default=None, metadata={"description": "Only commits from this time on."})
    until = Timestamp(to_end=True, load_default=None, metadata={"description": "Only commits up to this time."})
    path = path_filter("Only commits that changed such a file")
    field = field_filter()


class CutSchema(StrictSchema):
    """A value that is too long to be shown whole."""

    start = Text(required=True, metadata={"description": "The start of its JSON."})
    length = Integer(1, required=True, metadata={"description": "How many bytes its JSON has."})
    sha256 = Text(required=True, metadata={"description": "The SHA-256 of its JSON, as hex digits."})


class ChangeSchema(StrictSchema):
    """A field that changed. `old` is left out where the field is new, `new` where it was removed.

    Instead of a long value there is `old_cut` or `new_cut`.
    """

    field = Text(
        required=True,
        metadata={
            "description": "Its place: a JSON Pointer (RFC 6901) to the new value, or to the old one if removed."
        },
    )
    old = fields.Raw(allow_none=True, metadata={"description": "The value before."})
    new = fields.Raw(allow_none=True, metadata={"description": "The value after."})
    old_cut = Part(CutSchema, metadata={"description": "Instead of `old`: a value of more than 4096 bytes as JSON."})
    new_cut = Part(CutSchema, metadata={"description": "Instead of `new`: a value of more than 4096 bytes as JSON."})


class ChangesSchema(StrictSchema):
    """The fields that changed, as far as there is room for them."""

    changes = ListOf(
        Part(ChangeSchema),
        required=True,
        allow_none=True,
        metadata={
            "description": "The fields that changed. In a history, those of a target or the default are the fields "
            "of its `config`, its template and its files. Null where `note` says why."
        },
    )
    more = Integer(1, metadata={"description": "How many further fields changed, for which there was no room."})
    note = Text(metadata={"description": "Why `changes` is null."})


class CommitSchema(StrictSchema):
    """A commit: its author, time, subject and reason."""

    commit = Text(required=True, metadata={"description": "The commit's id."})
    author = Part(PersonSchema, required=True, metadata={"description": "Who made the change."})
    time = Text(required=True, metadata={**_TIME, "description": "When it was made."})
    subject = Text(required=True, metadata={"description": "The first line of the commit's message."})
    reason = Text(required=True, allow_none=True, metadata={"description": REASON})


class FileChangeSchema(ChangesSchema):
    """What a commit did to a file."""

    class Meta:
        """In this order."""

        fields = ("action", "version", "changes", "more", "note")

    action = Choice(ACTIONS, required=True, metadata={"description": "What the commit did to the file."})
    version = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The new version of the file: its blob id; null where it was deleted."},
    )


class VersionSchema(FileChangeSchema, CommitSchema):
    """A commit that changed a target, a prompt or the default."""

    class Meta:
        """In this order."""

        fields = ("commit", "author", "time", "subject", "reason", "action", "version", "changes", "more", "note")


class HistorySchema(StrictSchema):
    """The history of a target, a prompt or the default."""

    commits = ListOf(
        Part(VersionSchema),
        required=True,
        metadata={"description": "The commits that changed it, newest first; fewer than `limit` where much changed."},
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What to give as `before` for the next page; null: there is none."},
    )


class ChangedFileSchema(FileChangeSchema):
    """A file that a commit changed."""

    class Meta:
        """In this order."""

        fields = ("path", "action", "version", "changes", "more", "note")

    path = Text(required=True, metadata={"description": "The path of the file."})


class LoggedCommitSchema(CommitSchema):
    """A commit, and the files that it changed."""

    files = ListOf(Part(ChangedFileSchema), required=True, metadata={"description": "The files that it changed."})
    more_files = Integer(1, metadata={"description": "How many further files it changed; `path` shows them."})


class LogSchema(StrictSchema):
    """The log of a repo."""

    commits = ListOf(
        Part(LoggedCommitSchema),
        required=True,
        metadata={"description": "The commits, newest first; fewer than `limit` where much changed."},
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What to give as `before` for the next page; null: there is none."},
    )


class ComparisonSchema(ChangesSchema):
    """How one config differs from another."""

    operations = ListOf(
        JsonObject(),
        required=True,
        allow_none=True,
        metadata={
            "description": "The JSON Patch (RFC 6902) that makes the one config the other; null where there is no room "
            "for the whole of it. With `full` there is."
        },
    )

"""Requests and answers about what changed in a repo between two commits."""

from app.schemas.base import StrictSchema
from app.schemas.containers import ListOf, Part
from app.schemas.fields import Choice, Integer, Matching, QueryFlag, QueryInteger, Reference, Text
from app.schemas.history import FULL, ChangedFileSchema, CommitSchema
from app.schemas.log_filters import path_filter

KINDS = ("target", "prompt", "default", "repo", "label", "run", "question_template", "other")


def cursor_field() -> Matching:
    """Return the field for where the page begins."""
    return Matching(
        r"[A-Za-z0-9_-]{1,300}",
        "This must be the `next` of the page before",
        load_default=None,
        metadata={"description": "`next` of the page before, with the rest of the query as it was."},
    )


class RepoDiffQuerySchema(StrictSchema):
    """The two commits to compare, and which files."""

    full = QueryFlag(load_default=False, metadata=FULL)
    from_ = Reference(
        data_key="from", required=True, metadata={"description": "The commit, tag, label or time to compare with."}
    )
    to = Reference(
        load_default=None,
        metadata={
            "description": "The commit, tag, label or time to compare, which may be before `from`. Left out: the tip."
        },
    )
    path = path_filter("Only such files")
    limit = QueryInteger(1, 1000, load_default=100, metadata={"description": "How many files at most, 1 to 1000."})
    cursor = cursor_field()


class CountsSchema(StrictSchema):
    """How many files differ, on all pages together."""

    created = Integer(0, required=True, metadata={"description": "How many are there only at `to`."})
    updated = Integer(0, required=True, metadata={"description": "How many are there at both, and not the same."})
    deleted = Integer(0, required=True, metadata={"description": "How many are there only at `from`."})


class ComparedFileSchema(ChangedFileSchema):
    """A file that differs."""

    class Meta:
        """In this order."""

        fields = ("kind", "name", "path", "action", "version", "changes", "more", "note", "changed")

    kind = Choice(
        KINDS,
        required=True,
        metadata={"description": "What the file holds; `repo` is `repo.yml`, with the grants and the base model."},
    )
    name = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "The name of the target, prompt, label or question template; of a run "
            "`<target>/<kind>-<the first 12 digits of its key>`; null for other kinds."
        },
    )
    changed = Part(
        CommitSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "The last commit up to `to` that changed the file; null where none did, as for a file that "
            "was made after `to`."
        },
    )


class RepoDiffSchema(StrictSchema):
    """What changed in a repo between two commits."""

    from_ = Part(CommitSchema, data_key="from", required=True, metadata={"description": "What was compared with."})
    to = Part(CommitSchema, required=True, metadata={"description": "What was compared."})
    counts = Part(
        CountsSchema,
        required=True,
        metadata={"description": "How many files differ, on all pages. All are 0: nothing changed."},
    )
    files = ListOf(
        Part(ComparedFileSchema),
        required=True,
        metadata={"description": "The files that differ, by path; fewer than `limit` where much changed."},
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What to give as `cursor` for the next page; null: there is none."},
    )

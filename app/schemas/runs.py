"""Requests and answers about runs. In each answer the fields that published clients read come first, ours behind."""

from app.schemas.base import StrictSchema
from app.schemas.comparison import cursor_field
from app.schemas.containers import JsonObject, ListOf, Part
from app.schemas.fields import (
    FARTHEST,
    Choice,
    Flag,
    Integer,
    Matching,
    Number,
    QueryFlag,
    QueryInteger,
    Reference,
    Text,
)
from app.schemas.revisions import PersonSchema, RefQuerySchema

NOT_STARTED = "not_started"
STATUSES = (NOT_STARTED, "running", "complete", "failed")
KINDS = ("stim", "rollout")
KINDS_OF_ROWS = ("failed", "truncated", "empty")
FORMATS = ("rows", "openai", "batch")
LARGEST_PAGE = 1000  # rows
_TIME = {"format": "date-time"}


def _count(description: str) -> Integer:
    return Integer(0, required=True, metadata={"description": description})


def _known(description: str, **rules: str) -> Text:
    """Return a field that is null while there is nothing to tell."""
    return Text(required=True, allow_none=True, metadata={**rules, "description": description})


class OfRunQuerySchema(StrictSchema):
    """Which run of a target is meant."""

    ref = Reference(
        load_default=None,
        metadata={
            "description": "The commit, tag, label or time to read the target at: its run is meant. Left out: the run "
            "of the target as it is, else the last one."
        },
    )


class OutputQuerySchema(OfRunQuerySchema):
    """Which rows of a run to show."""

    offset = QueryInteger(0, FARTHEST, load_default=0, metadata={"description": "How many rows to skip."})
    limit = QueryInteger(
        1, LARGEST_PAGE, load_default=100, metadata={"description": f"How many rows at most, 1 to {LARGEST_PAGE}."}
    )


class ShownRowsQuerySchema(OfRunQuerySchema):
    """Which rows of a run a page shows."""

    q = Matching(
        r"[\s\S]{0,200}",
        "This must have at most 200 characters",
        load_default="",
        metadata={"description": "A text that the rows have somewhere, in any case."},
    )
    rows = Choice(KINDS_OF_ROWS, load_default=None, metadata={"description": "Only rows that are so."})
    offset = QueryInteger(0, FARTHEST, load_default=0, metadata={"description": "How many rows to skip."})
    limit = QueryInteger(1, 100, load_default=20, metadata={"description": "How many rows at most, 1 to 100."})


class RowsQuerySchema(OfRunQuerySchema):
    """How to write the rows of a run."""

    format = Choice(
        FORMATS,
        load_default="rows",
        metadata={
            "description": "`rows`: as they are; `openai`: lines for fine-tuning; `batch`: requests of the Batch API."
        },
    )
    body = QueryFlag(
        load_default=False, metadata={"description": "Add what the endpoint answered, as it came, to each row."}
    )


class RunListQuerySchema(RefQuerySchema):
    """The page of runs to show, newest first."""

    ref = Reference(
        load_default=None,
        metadata={"description": "Only runs of this commit, tag, label or time, and of commits before it."},
    )
    limit = QueryInteger(1, 100, load_default=20, metadata={"description": "How many runs at most, 1 to 100."})
    cursor = cursor_field()


class CountsSchema(StrictSchema):
    """How far a run is, and what it took."""

    failed_rows = _count("Rows with an error in place of an answer.")
    requests = _count("Requests that were sent to models, or were about to be when a worker was killed.")
    retries = _count("Requests that were sent because one before them failed.")
    repeated_requests = _count(
        "Requests beside the one for each row; of a stim, beside the one for each answer. While the run goes on, "
        "those that are out count, too."
    )
    truncated = _count("Answers that were cut at the limit of tokens: their `finish_reason` is `length`.")
    empty = _count("Answers without text and without a call of a tool.")
    tokens_in = _count("Tokens that endpoints counted in requests.")
    tokens_out = _count("Tokens that endpoints counted in answers.")
    cost = Number(
        0,
        10**15,
        required=True,
        allow_none=True,
        metadata={"description": "What these tokens cost by the endpoint's prices of today; null without prices."},
    )


class StimStatusSchema(CountsSchema):
    """The status of a stim."""

    class Meta:
        """In this order."""

        fields: tuple[str, ...] = (
            *("status", "lines", "config", "error", "job_id", "progress_percent"),
            *("key", "commit", "stale", "warnings", "error_type"),
            *CountsSchema().fields,
            *("started_by", "created", "finished", "rows_sha256", "manifest_commit"),
        )

    status = Choice(STATUSES, required=True, metadata={"description": "How far the run is."})
    lines = _count("How many rows `output` lists so far.")
    config = JsonObject(
        required=True,
        allow_none=True,
        metadata={"description": "The part of the target's config that the run is about."},
    )
    error = _known("Why the run failed, and what to do.")
    job_id = Integer(required=True, allow_none=True, metadata={"description": "The run's number in the ledger."})
    progress_percent = Number(
        0, 100, required=True, metadata={"description": "How many of its rows are there, 0 to 100 percent."}
    )
    key = _known("The run's key: the SHA-256 of everything that its rows depend on.")
    commit = _known("The commit whose target was carried out.")
    stale = Flag(
        required=True, metadata={"description": "Whether the target is another one by now, whose run would be another."}
    )
    warnings = ListOf(Text(), required=True, metadata={"description": "What the run did that you may not expect."})
    error_type = _known("Why the run failed, in a word: `cancelled`, `budget`, `endpoint`, `samples`, ….")
    started_by = Part(PersonSchema, required=True, allow_none=True, metadata={"description": "Who started it first."})
    created = _known("When it was started first.", **_TIME)
    finished = _known("When it ended.", **_TIME)
    rows_sha256 = _known("The SHA-256 of all rows as `rows` sends them as JSON Lines, once the run is complete.")
    manifest_commit = _known("The commit that has the run's manifest, once the run is complete.")


class RolloutStatusSchema(StimStatusSchema):
    """The status of a rollout."""

    class Meta:
        """In this order."""

        fields = (*StimStatusSchema.Meta.fields, "total_expected")

    total_expected = Integer(
        0, required=True, allow_none=True, metadata={"description": "How many rows the run makes in all."}
    )


class _PageSchema(StrictSchema):
    """The rows of a page."""

    output = ListOf(JsonObject(), required=True, metadata={"description": "The rows, in their order."})
    offset = _count("How many rows were skipped.")
    limit = Integer(1, required=True, metadata={"description": "How many rows the page has at most."})
    has_more = Flag(required=True, metadata={"description": "Whether rows follow that are there by now."})


class StimOutputSchema(StimStatusSchema, _PageSchema):
    """The status of a stim, and some of its rows."""

    class Meta:
        """In this order."""

        fields = (*StimStatusSchema.Meta.fields, *_PageSchema().fields)


class RolloutOutputSchema(RolloutStatusSchema, _PageSchema):
    """The status of a rollout, and some of its rows."""

    class Meta:
        """In this order."""

        fields = (*RolloutStatusSchema.Meta.fields, *_PageSchema().fields)


class RunSchema(CountsSchema):
    """A run in a list."""

    class Meta:
        """In this order."""

        fields = (
            *("target_name", "kind", "key", "job_id", "commit", "status", "lines", "total_expected"),
            *("progress_percent", "error", "error_type"),
            *CountsSchema().fields,
            *("started_by", "created", "finished", "manifest_commit"),
        )

    target_name = Text(required=True, metadata={"description": "The target that was carried out."})
    kind = Choice(KINDS, required=True, metadata={"description": "What it makes: stimuli or trajectories."})
    key = Text(required=True, metadata={"description": "The run's key."})
    job_id = Integer(required=True, metadata={"description": "The run's number in the ledger."})
    commit = Text(required=True, metadata={"description": "The commit whose target was carried out."})
    status = Choice(STATUSES, required=True, metadata={"description": "How far the run is."})
    lines = _count("How many rows `output` lists so far.")
    total_expected = _count("How many rows the run makes in all.")
    progress_percent = Number(0, 100, required=True, metadata={"description": "How many of its rows are there."})
    error = _known("Why the run failed.")
    error_type = _known("Why the run failed, in a word.")
    started_by = Part(PersonSchema, required=True, metadata={"description": "Who started it first."})
    created = Text(required=True, metadata={**_TIME, "description": "When it was started first."})
    finished = _known("When it ended.", **_TIME)
    manifest_commit = _known("The commit that has the run's manifest, once the run is complete.")


class RunListSchema(StrictSchema):
    """Some runs of a repo, or of a target."""

    runs = ListOf(
        Part(RunSchema),
        required=True,
        metadata={"description": "The runs, newest first; fewer than `limit`, or none, where many were passed over."},
    )
    next = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The `cursor` of the next page; null: there is none."},
    )

"""The tables of the ledger. Times are seconds since 1970, by the ledger's own clock."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

NO_REPO = ""  # of a run that is being deleted: nobody finds it, since every look is into a repo

_COUNT = BigInteger().with_variant(Integer, "sqlite")

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("repo", String(32), nullable=False),  # the identity of the repository
    Column("place", Text, nullable=False),  # `<owner>/<name>` of the repo when the run was started
    Column("target", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # `stim` or `rollout`
    Column("key", String(64), nullable=False),
    Column("commit", String(40), nullable=False),
    Column("stim", ForeignKey("runs.id")),  # the run whose stimuli a rollout answers
    Column("inputs", Text, nullable=False),  # the JSON that the key is the hash of
    Column("config", Text, nullable=False),  # the part of the target's config that the run is about, as JSON
    Column("context", Text, nullable=False),  # what all rows have in common, as JSON
    Column("origin", Text, nullable=False),  # who started it, as JSON
    Column("warnings", Text, nullable=False),  # a JSON list of sentences
    Column("state", String(16), nullable=False),  # `running`, `complete` or `failed`
    Column("error", Text),
    Column("error_type", String(16)),
    Column("total", Integer, nullable=False),  # rows to make
    Column("done", Integer, nullable=False, default=0),  # rows that are there, failed ones included
    Column("listed", Integer, nullable=False, default=0),  # rows before the first that is missing
    Column("failed", Integer, nullable=False, default=0),
    Column("requests", _COUNT, nullable=False, default=0),  # that were sent, or were about to be
    Column("retries", _COUNT, nullable=False, default=0),
    Column("answers", _COUNT, nullable=False, default=0),
    Column("truncated", Integer, nullable=False, default=0),
    Column("empty", Integer, nullable=False, default=0),
    Column("tokens_in", _COUNT, nullable=False, default=0),
    Column("tokens_out", _COUNT, nullable=False, default=0),
    Column("fence", Integer, nullable=False, default=0),  # grows with each lease, release and cancel
    Column("holder", Text),
    Column("batch", String(32)),  # the last that a worker wrote
    Column("lease_until", Float(53), nullable=False, default=0),
    Column("created", Float(53), nullable=False),
    Column("finished", Float(53)),
    Column("manifest_commit", String(40)),
    Column("rows_sha256", String(64)),
    UniqueConstraint("repo", "target", "kind", "key"),
    Index("runs_by_state", "state", "lease_until"),
    sqlite_autoincrement=True,  # the id of a deleted run is never another's
)

ROWS = Table(
    "rows",
    METADATA,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("stimulus", Integer, primary_key=True),
    Column("trajectory", Integer, primary_key=True),
    Column("row", Text, nullable=False),  # what is particular to the row, as JSON
    Column("body", LargeBinary),  # the endpoint's answer as it came
    Column("failed", Boolean, nullable=False),
    Column("again", Boolean, nullable=False, default=False),  # a failed row that a new one may replace
)

VERSION = Table("ledger_version", METADATA, Column("version", Integer, primary_key=True))

SLOTS = Table(  # of an endpoint: each is room for one request
    "endpoint_slots",
    METADATA,
    Column("endpoint", String(100), primary_key=True),
    Column("holder", String(100), primary_key=True),
    Column("held", Integer, nullable=False),
    Column("wants", Integer, nullable=False),
    Column("since", Float(53), nullable=False),  # when the holder began to have some, or to wait for some
    Column("paced", Float(53), nullable=False),  # when the holder was last given times to start requests at
    Column("starts", Boolean, nullable=False),  # whether the holder waits for such times
    Column("until", Float(53), nullable=False),
)

PACES = Table(  # how fast an endpoint may be asked, by all together
    "endpoint_paces",
    METADATA,
    Column("endpoint", String(100), primary_key=True),
    Column("allowed", Float(53), nullable=False),  # requests at once; less than configured after a 429
    Column("changed", Float(53), nullable=False),  # when `allowed` last did
    Column("shrunk", Float(53), nullable=False),
    Column("strikes", Integer, nullable=False),  # how often in a row it shrank
    Column("cool_until", Float(53), nullable=False),
    Column("next_start", Float(53), nullable=False),
)

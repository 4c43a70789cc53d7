"""`/v1/admin/metrics`: numbers about runs in the text format of Prometheus."""

from collections.abc import Iterator

from flask import Blueprint
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from app.auth import Forbidden
from app.runs.ledger import totals
from app.runs.ledger.database import Database
from app.wire import context
from app.wire.contract import Answer, TextFormat, accepts, returns

blueprint = Blueprint("metrics", __name__, url_prefix="/v1/admin/metrics")

_TEXT = TextFormat(
    CONTENT_TYPE_PLAIN_0_0_4.partition(";")[0],
    "The text format of Prometheus.",
    'bakehouse_runs{kind="rollout",state="complete"} 3.0',
)
_SAYS = {
    "done": "Rows that are recorded, failed ones included.",
    "failed": "Rows that have an error in place of an answer.",
    "requests": "Requests to models that were sent.",
    "retries": "Requests that were sent again because the first was not answered.",
    "truncated": "Answers that were cut at the limit of tokens.",
    "empty": "Answers without text.",
    "tokens_in": "Tokens that were sent to models.",
    "tokens_out": "Tokens that models answered.",
}


@blueprint.before_request
def require_master_key() -> None:
    """Refuse everybody but the master key: the numbers are about the runs of all users."""
    context.authenticate()
    if not context.principal().is_master:
        raise Forbidden("Only the master key may read metrics.")


@blueprint.get("")
@accepts()
@returns((), 200, text=_TEXT)
def read_metrics() -> Answer:
    """Read numbers about the runs of all users, for Prometheus. They fall where runs are deleted."""
    registry = CollectorRegistry()
    registry.register(_Runs(context.services().runs.database))
    return generate_latest(registry).decode(), 200, {}


class _Runs(Collector):
    """The numbers, read from the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each number with its kinds and states."""
        found = totals.totals(self._database)
        labels = ("kind", "state")
        runs = GaugeMetricFamily("bakehouse_runs", "Runs.", labels=labels)
        sums = {name: GaugeMetricFamily(f"bakehouse_run_{name}", says, labels=labels) for name, says in _SAYS.items()}
        for group in found:
            of_group = (group.kind, group.state)
            runs.add_metric(of_group, group.runs)
            for name, family in sums.items():
                family.add_metric(of_group, group.sums[name])
        yield runs
        yield from sums.values()
        idle = totals.waiting(self._database)
        yield GaugeMetricFamily("bakehouse_runs_waiting", "Runs that wait for a worker.", idle.runs)
        yield GaugeMetricFamily("bakehouse_runs_waiting_seconds", "How long the oldest of them is there.", idle.oldest)

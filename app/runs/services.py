"""The services that runs need in one process: the ledger, the queue, the endpoints and the data sets."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from app.domain.names import quoted
from app.runs.datasets import Datasets
from app.runs.failures import RunFailed
from app.runs.ledger.database import Database
from app.runs.ledger.deletions import Deletions
from app.runs.ledger.leases import Leases
from app.runs.ledger.limits import Limits
from app.runs.ledger.rows import RowTable
from app.runs.ledger.runs import RunTable
from app.runs.models.endpoints import Endpoint, Endpoints
from app.runs.waits import Waits
from app.settings import Settings, SettingsError
from storage.store import Store

if TYPE_CHECKING:
    from app.runs.queue import Queue

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Runs:
    """The parts that runs need. `repos` are the repositories, in which the configs are and manifests are written."""

    settings: Settings
    repos: Store
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    waits: Waits = field(default_factory=Waits, repr=False)

    @cached_property
    def database(self) -> Database:
        """The database of the ledger."""
        return Database(self.settings.database_url, self.settings.data_dir)

    @cached_property
    def table(self) -> RunTable:
        """The runs in the ledger."""
        return RunTable(self.database, self.settings.run_lease)

    @cached_property
    def rows(self) -> RowTable:
        """The rows in the ledger."""
        return RowTable(self.database)

    @cached_property
    def deletions(self) -> Deletions:
        """The deletion of runs from the ledger."""
        return Deletions(self.database)

    @cached_property
    def leases(self) -> Leases:
        """Who carries out which run."""
        return Leases(self.database, self.settings.run_lease)

    @cached_property
    def limits(self) -> Limits:
        """What endpoints may be asked by all workers together."""
        return Limits(self.database)

    @cached_property
    def queue(self) -> "Queue":
        """The queue that wakes workers."""
        from app.runs import queue  # only now: it imports drivers, and most commands need no queue

        return queue.make(self.settings)

    @cached_property
    def endpoints(self) -> Endpoints:
        """The endpoints that the operator configured."""
        return Endpoints.of(self.settings)

    @cached_property
    def datasets(self) -> Datasets:
        """The operator's data sets."""
        return Datasets(self.settings.data_dir / "datasets")

    def endpoint(self, model: str, inputs: Mapping[str, Any]) -> Endpoint:
        """Return the endpoint that serves a model; RunFailed where it is not the one that the run was started with.

        `inputs` are those of the run, or of a generator.
        """
        found, name = self.endpoints.find(model), inputs["endpoint"]
        if found is None or found.name != name:
            now = "no endpoint" if found is None else f"the endpoint '{found.name}'"
            raise RunFailed("endpoint", f"Model {quoted(model)} was served by the endpoint '{name}', and now by {now}.")
        if found.takes_seed != inputs.get("takes_seed", True):
            raise RunFailed("endpoint", f"The endpoint '{name}' has another takes_seed now, so this is another run.")
        return found

    def wake(self) -> None:
        """Wake a worker, if the queue answers; otherwise workers find the run when they look into the ledger."""
        try:
            self.queue.wake()
        except SettingsError as error:
            _log.warning("No worker could be woken: %s", error)

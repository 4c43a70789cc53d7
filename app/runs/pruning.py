"""The runs of repos that were removed for good: no request reaches them any more."""

from dataclasses import dataclass

from app.runs.services import Runs
from storage import identities
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many runs were deleted, of how many repos, and with how many rows."""

    repos: int = 0
    runs: int = 0
    rows: int = 0


def prune(runs: Runs, deleted: Store) -> Pruned:
    """Delete the runs of repos that are neither there nor among the deleted ones, which can be restored.

    Nothing is deleted where a repo cannot be looked at: StorageError. LedgerUnavailable as everywhere.
    """
    gone = runs.deletions.repos()  # first: a repo that begins to have runs from now on is not looked for
    for store in (runs.repos, deleted, runs.repos):  # twice, since a repo may be restored or given away meanwhile
        gone -= identities.of_all(store)
    found = [runs.deletions.forget(repo) for repo in gone]
    return Pruned(len(found), sum(number for number, _ in found), sum(rows for _, rows in found))

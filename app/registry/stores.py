"""The stores of a data directory: of the accounts, of the repos, and of deleted repos."""

from pathlib import Path
from typing import NamedTuple

from app.registry import label_files
from app.registry.repos import check_layout
from storage.budget import UNLIMITED, Limits
from storage.maintenance import Maintenance
from storage.store import Store
from storage.waits import Waits


class Stores(NamedTuple):
    """Three stores. All refuse a repository with a layout that this version of Bakehouse does not know."""

    accounts: Store
    repos: Store
    deleted: Store  # a folder in that of the repos, so that they are on one disk, and a repo can be moved by a rename

    @classmethod
    def of(
        cls,
        data_dir: Path,
        maintenance: Maintenance | None = None,
        waits: Waits | None = None,
        open_at_most: int = 128,
        limits: Limits = UNLIMITED,
    ) -> "Stores":
        """Return the stores of a data directory; at most `open_at_most` repos stay open."""
        waits = waits or Waits()
        return cls(
            Store(data_dir, maintenance, waits, limits=limits, check=check_layout),
            Store(data_dir / "repos", maintenance, waits, open_at_most, limits, check_layout, label_files.BRANCHES),
            Store(
                data_dir / "repos/.deleted",
                maintenance,
                waits,
                open_at_most,
                limits,
                check_layout,
                label_files.BRANCHES,
            ),
        )

"""Data sets of the Hugging Face hub, which `datasets` loads. It comes with `bakehouse[hub]`."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.runs.datasets.columns import choose, text_of
from app.runs.datasets.problems import Unusable

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SPLIT = "train"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubTable:
    """The rows of a data set, in a file that `datasets` maps into memory, and which column has the questions."""

    column: str
    rows: Any

    @classmethod
    def of(cls, name: str) -> "HubTable":
        """Load a data set, unless it was loaded before; Unusable for whatever hinders that."""
        repo, commit = pinned(name)
        try:
            import datasets  # 2 s and 150 MB, measured: only for who names such data sets
        except ImportError:
            raise Unusable(
                "would come from the Hugging Face hub, which needs the package datasets: ask the operator to install "
                "bakehouse[hub], or to put a file into `datasets/` in the data directory of the server."
            ) from None
        if Path(repo).exists():  # which `datasets` would read in place of the hub
            raise Unusable(
                "has the name of a folder where the server was started: ask the operator to start it elsewhere."
            )
        try:
            datasets.disable_progress_bars()
            # A cache for each commit: where the hub does not answer, `datasets` takes what its cache has of any commit.
            cache = Path(datasets.config.HF_DATASETS_CACHE) / "bakehouse" / commit
            rows = datasets.load_dataset(repo, revision=commit, split=_SPLIT, cache_dir=cache)
        except Exception as error:  # the hub, the network, builders and Arrow each have errors of their own
            _log.warning("Data set %s cannot be loaded: %s", name, error)
            raise Unusable(
                f"cannot be loaded from the Hugging Face hub. It must be public, have a split called {_SPLIT} and one "
                "configuration. The server's log says what happened."
            ) from error
        if not len(rows):
            raise Unusable("is empty.")
        return cls(choose(rows.column_names, None), rows)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def texts(self, indexes: Sequence[int]) -> list[str]:
        """Return the questions of some rows."""
        column = self.rows.select_columns([self.column])
        return [text_of(column[index][self.column], self.column, f"row {index + 1}") for index in indexes]


def pinned(name: str) -> tuple[str, str]:
    """Return the repository and the commit that a name consists of; Unusable where it is not pinned to one."""
    repo, _, commit = name.partition("@")
    if not _NAME.fullmatch(repo):
        raise Unusable("is no name of a data set: one of the Hugging Face hub is `<owner>/<name>@<commit>`.")
    if not _COMMIT.fullmatch(commit):
        raise Unusable(
            f"names no commit, and may change: name it as `{repo}@<commit>`, with the 40 hex digits that the hub shows."
        )
    return repo, commit

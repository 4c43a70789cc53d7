"""Targets as a CSV file (RFC 4180): a line for each, with its template, its values, and who changed it last."""

from collections.abc import Sequence

from app.domain.csv_text import cell, line
from app.registry.configs.target_columns import Column
from app.registry.configs.target_rows import Row
from storage import moments
from storage.ids import CommitId
from storage.signatures import Signature

_OF_COMMITS = ("commit", "time", "author", "user", "subject", "reason")


class TargetCsv:
    """The lines of one file: the name, the `plain` fields of a row, and the columns, each once."""

    def __init__(self, plain: Sequence[str], columns: Sequence[Column], *, has_commits: bool) -> None:
        self._plain = plain
        self._columns = list({column.name: column for column in columns}.values())
        self._has_commits = has_commits

    def head(self) -> bytes:
        """Return the header line."""
        of_commits = [f"changed_{name}" for name in _OF_COMMITS] if self._has_commits else []
        return line(["target_name", *self._plain, *(column.name for column in self._columns), *of_commits])

    def cells(self, name: str, row: Row | None) -> bytes:
        """Return the line of a target, without the cells of its commit; only the name where it has no row."""
        if row is None:
            return line([cell(name)])
        values = (column.cell(row) for column in self._columns)
        return line([cell(name), *(cell(getattr(row, field)) for field in self._plain), *values])

    @staticmethod
    def with_commit(shown: bytes, _: CommitId | None, told: bytes) -> bytes:
        """Return the line of a target with the cells of its last commit, which are empty where it has none."""
        return b"%b,%b" % (shown, told or b"," * (len(_OF_COMMITS) - 1))


def commit_cells(commit: CommitId, signature: Signature) -> bytes:
    """Return the cells that tell of a commit."""
    time = moments.at(signature.moment).isoformat().replace("+00:00", "Z")
    told = (commit, time, signature.name, signature.user, signature.subject, signature.reason)
    return line([cell(text or "") for text in told])

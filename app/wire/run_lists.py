"""Lists of runs, a page at a time."""

from collections.abc import Mapping
from typing import Any

from app.registry import revisions
from app.runs import reading
from app.runs.ledger.runs import ListedRun
from app.wire import context, cursors
from storage.ids import CommitId
from storage.repository import Repository


def page(
    repository: Repository, target_name: str | None, query: Mapping[str, Any]
) -> tuple[list[ListedRun], str | None]:
    """Return the runs of a repo, or of a target, that a query (`RunListQuerySchema`) asks for, newest first.

    Also the cursor of the next page, None at the end.
    """
    until, before = None, None
    if query["cursor"] is not None:
        commits, before = cursors.read(query, 0 if query["ref"] is None else 1)
        until = CommitId(commits[0]) if commits else None
    elif query["ref"] is not None:
        until = revisions.at(repository, query["ref"]).commit
    runs = context.services().runs
    found, following = reading.page_of_runs(runs, repository, target_name, until, before, query["limit"])
    commits = [] if until is None else [until]
    return found, cursors.make(query, commits, following) if following else None

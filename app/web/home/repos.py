"""The repos that a user may open: their own, and those that were shared with them."""

from typing import Any

from app import auth
from app.wire import context


def of_viewer() -> dict[str, Any]:
    """Return what the first page shows: the user's own repos by name."""
    services, caller = context.services(), context.principal()
    return {"own": auth.visible_repos(services.store, context.shares(), caller)}

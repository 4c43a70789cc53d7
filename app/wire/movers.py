"""Who moves labels by a request."""

from app.registry.labels import Mover
from app.wire import context


def mover() -> Mover:
    """Return the caller, as labels see them."""
    principal = context.principal()
    return Mover(principal.owner, principal.user.id, not principal.is_guest)

"""The repo of a page that changes something: the viewer may write, and looks at what is there now."""

from app import auth
from app.domain.errors import Conflict
from app.domain.tokens import Access
from app.web import admission
from app.web.admission import Place
from app.wire import context


def place_to_write() -> Place:
    """Return the repo of the address. Raises Forbidden without write access, and Conflict for an older state."""
    place = admission.place()
    auth.authorize(context.services().store, context.principal(), Access.WRITE, place.repo_name)
    if place.ref is not None:
        raise Conflict(place.ref, f"The state at '{place.ref}' is past, and stays. Change what is there now.")
    return place

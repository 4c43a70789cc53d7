"""What the page of deleted repos shows: those that the viewer may restore, each with its form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.registry.life import deleted
from app.registry.life.deleted import Deleted
from app.web.sharing.forms import RestoreForm
from app.wire import context


class Shown(NamedTuple):
    """A deleted repo, until when it can be restored (None: not known), and the form to restore it."""

    repo: Deleted
    until: datetime | None
    form: RestoreForm


def read(owner: str, query: Mapping[str, Any], sent: Mapping[str, RestoreForm] | None = None) -> dict[str, Any]:
    """Return the values of the page. `sent` are forms, by id, that are shown again with their mistakes."""
    places, caller = context.places(), context.principal()
    found = [each for each in deleted.find_all(places, owner) if caller.may_reach(owner, each.name)]
    page = [deleted.read(places, each) for each in found[query["offset"] : query["offset"] + query["limit"]]]
    forms = {each.id: RestoreForm(formdata=None, prefix=f"{each.id}_", name=each.name) for each in page}
    forms |= sent or {}
    shown = [Shown(each, each.until(places.keep_days), forms[each.id]) for each in page]
    return {"owner": owner, "shown": shown, "total": len(found), "query": query, "keep_days": places.keep_days}

"""What the page of a repo's settings shows: its grants, and which changes the viewer may make."""

from collections.abc import Callable
from typing import Any

from app import auth
from app.auth import Forbidden, Principal
from app.domain.tokens import Access
from app.registry import grants, repos
from app.web.admission import Place
from app.web.sharing.forms import DeleteForm, GrantForm, RenameForm, TransferForm

GRANT, RENAME, TRANSFER, DELETE = "grant_", "rename_", "transfer_", "delete_"  # the prefixes of the forms

_OLD = "These are the settings of an older state. Those of now can be changed."
_FOR_SOME = "This token is for some repos only, and a repo with another name may be none of them."


def read(place: Place, caller: Principal, **sent: Any) -> dict[str, Any]:
    """Return the values of the page. `sent` are forms that are shown again, with their mistakes.

    A refusal is the sentence with which the server would answer such a change; None where the viewer may make it.
    """
    unwritable = _OLD if place.ref else _refusal(lambda: caller.check_token(Access.WRITE, place.repo_name))
    unseen = _refusal(lambda: auth.check_sharing(caller))
    return {
        "base_model": repos.describe(place.snapshot, place.owner).base_model,
        "grants": None if unseen else grants.get(place.snapshot),
        "refusals": {
            "share": unseen or unwritable,
            "rename": unwritable or (None if caller.is_for_all_repos else _FOR_SOME),
            "transfer": unwritable or _refusal(lambda: auth.check_transfer(caller)),
            "delete": unwritable,
        },
        "grant": GrantForm(formdata=None, prefix=GRANT),
        "rename": RenameForm(formdata=None, prefix=RENAME),
        "transfer": TransferForm(formdata=None, prefix=TRANSFER),
        "delete": DeleteForm(formdata=None, prefix=DELETE),
        **sent,
    }


def _refusal(check: Callable[[], None]) -> str | None:
    try:
        check()
    except Forbidden as error:
        return str(error)
    return None

"""Who may see a page or send a form: the cookie, the rights, and the token against forged forms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Blueprint, Flask, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound as AddressNotFound

from app import auth
from app.auth import MASTER_USER, Forbidden, Principal, SignIn, Unauthorized
from app.domain.errors import NotFound
from app.domain.tokens import Access
from app.registry.configs import things
from app.registry.messages import Origin
from app.registry.users import listing
from app.schemas.base import load
from app.schemas.revisions import RefQuerySchema
from app.web import forms, session
from app.wire import context
from app.wire.body import read_form
from app.wire.context import READING, Services
from app.wire.contract import PATH_NAMES
from storage.repository import Repository
from storage.snapshot import Snapshot

csrf = CSRFProtect()

_FORGED = (
    "This form is not of a page that you have open: another site made it, or you signed in or out since. "
    "Nothing was changed. Open the page again, and send the form from there."
)


@dataclass(frozen=True, slots=True)
class Place:
    """The repo that a page is about, at the commit that `ref` names, and what the viewer may do there.

    `ref` is None for the tip. Whoever `may_manage` may share, rename, transfer and delete the repo. `is_own` says
    whether the viewer is the owner, or has the master key.
    """

    owner: str
    repo_name: str
    repository: Repository
    snapshot: Snapshot
    ref: str | None
    may_write: bool
    may_manage: bool
    is_own: bool

    @property
    def may_edit(self) -> bool:
        """Tell whether the page offers changes: the viewer may write, and looks at the tip."""
        return self.may_write and self.ref is None

    def has(self, kind: str, name: str | None) -> bool:
        """Tell whether a page may link to a thing: targets and prompts must be in the snapshot."""
        find = {"target": things.target, "prompt": things.prompt}.get(kind)
        return find is None or name is None or self.snapshot.version(find(name).path) is not None


def pages(name: str) -> Blueprint:
    """Return a blueprint for pages: each needs a user who signed in and may read what the address names.

    A POST needs the access to write, and the token of a form that this server made.
    """
    blueprint = Blueprint(name, f"app.web.{name}")
    blueprint.before_request(admit)
    return blueprint


def admit() -> None:
    """Let in who signed in and has the rights that this request needs; another is refused, or led to the sign-in."""
    if session.is_of_api():
        raise AddressNotFound
    _check_names()
    g.admit = _identify
    g.needed = Access.READ if request.method in READING else Access.WRITE
    _identify()
    if request.method not in READING:
        check_form()


def check_form() -> None:
    """Read the form of this request, and refuse one that another site, or an older session, made."""
    with context.readmit_if_slow():
        read_form()
    try:
        csrf.protect()
    except CSRFError as error:
        raise BadRequest(_FORGED) from error


def viewer_or_none() -> Principal | None:
    """Return who signed in, where the cookie is good; None for everybody else."""
    try:
        context.identify(lambda _: _find(None), None)
    except Unauthorized:
        return None
    return context.principal()


def place() -> Place:
    """Return the repo that the address names, for pages of a repo."""
    if "place" not in g:
        g.place = _place()
    return cast(Place, g.place)


def may(needed: Access, repo_name: str | None = None) -> bool:
    """Tell whether the viewer has an access to a repo of the owner whom the address names, or to the list of repos."""
    try:
        auth.authorize(context.services().store, context.principal(), needed, repo_name)
    except Forbidden:
        return False
    return True


def standing() -> Callable[[], None]:
    """Return a function that checks, while an answer lasts, that the viewer may still read what the address names.

    It raises Unauthorized or Forbidden where that is over, and works outside of the request.
    """
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    names = request.view_args or {}
    owner, repo_name = names["owner"], names["repo_name"]
    sign_in, found = session.find(), context.services()

    def check() -> None:
        with app.app_context():
            caller = _caller(sign_in, owner, found)
            auth.authorize(found.store, caller, Access.READ, repo_name)

    return check


def origin(reason: str | None = None) -> Origin:
    """Return the author of a change by a form, with the reason that the form gives."""
    return context.principal().origin(context.request_id(), forms.reason(reason))


def _check_names() -> None:
    for variable, name in (request.view_args or {}).items():
        rule = PATH_NAMES.get(variable)
        if rule is not None and (problem := rule.find_problem(name)):
            raise NotFound("Page", f"{request.path} (a name {problem})")


def _identify() -> None:
    owner = (request.view_args or {}).get("owner")
    context.identify(lambda _: _find(owner), None)
    repo_name = (request.view_args or {}).get("repo_name")
    if owner is not None:
        _expect(owner, repo_name)
        auth.authorize(context.services().store, context.principal(), g.get("needed", Access.READ), repo_name)


def _expect(owner: str, repo_name: str | None) -> None:
    """Raise NotFound where the master key asks for a user who does not exist; others learn nothing of users."""
    found = context.services()
    is_asked = context.principal().is_master and repo_name is None and owner != MASTER_USER
    if is_asked and not listing.is_owner(found.accounts, found.store, owner):
        raise NotFound("User", owner)


def _find(owner: str | None) -> Principal:
    return _caller(session.find(), owner, context.services())


def _caller(sign_in: SignIn | None, owner: str | None, found: Services) -> Principal:
    if sign_in is None:
        raise Unauthorized("Sign in first.", "Bearer")
    return auth.authenticate_sign_in(found.accounts, found.master_key, sign_in, owner)


def _place() -> Place:
    caller, names = context.principal(), request.view_args or {}
    repository = context.repository(names["repo_name"])
    ref = request.args.get("ref") or None
    query = load(RefQuerySchema(), {} if ref is None else {"ref": ref}, ("query",))
    return Place(
        caller.owner,
        names["repo_name"],
        repository,
        context.snapshot(names["repo_name"], query),
        ref,
        may(Access.WRITE, names["repo_name"]),
        not caller.is_guest
        and (caller.token is None or (caller.token.repos is None and caller.token.access is Access.WRITE)),
        not caller.is_guest,
    )

"""What a view works with: the server's services, the caller, and the repo of the request."""

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app, g, request

from app import auth
from app.auth import Forbidden, Principal
from app.domain import reasons
from app.domain.names import user_id_problem
from app.domain.tokens import Access
from app.registry import repos, revisions
from app.registry.life import unfinished
from app.registry.life.places import Places
from app.registry.messages import Origin
from app.registry.users.accounts import Accounts
from app.registry.users.shares import Shares
from app.runs.services import Runs
from app.schemas.base import InvalidRequest, Mistake
from app.settings import Settings
from app.wire import logged_request
from app.wire.answer_cache import AnswerCache
from app.wire.credentials import client_address, log_in
from app.wire.failed_logins import FailedLogins
from app.wire.logged_request import LoggedRequest
from app.wire.rates import RateLimiter
from app.wire.turns import Turns
from storage.errors import StorageError
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.store import Store

_SLOW = 0.1  # seconds
READING = ("GET", "HEAD", "OPTIONS")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Services:
    """What all requests of one server share; created by the factory."""

    settings: Settings
    master_key: str
    accounts: Accounts
    store: Store
    deleted: Store
    rates: RateLimiter | None
    runs: Runs
    turns: Turns = field(default_factory=lambda: Turns(Settings.threads))
    answer_cache: AnswerCache = field(default_factory=AnswerCache)
    failed_logins: FailedLogins = field(default_factory=FailedLogins)


class InvalidHeader(Exception):
    """A request header has a value that cannot be used."""


def services() -> Services:
    """Return the services of the server of this request."""
    return cast(Services, current_app.extensions["bakehouse"])


def begin() -> None:
    """Have the lines of the log name this request."""
    g.address = client_address(services().settings.trusted_proxies)
    logged_request.current.set(LoggedRequest(request_id(), address=g.address))


def authenticate() -> None:
    """Identify the caller."""
    g.admit = authenticate
    accounts, header = services().accounts, request.headers.get("Authorization")
    identify(lambda key: auth.authenticate(accounts, key, header, _named_user), request.headers.get("X-User-Id"))


def identify(find_caller: Callable[[str | None], Principal], claimed: str | None) -> None:
    """Set the caller, whom `find_caller` finds with the master key, and count the request.

    `claimed` is the user name that came with the credentials.
    """
    key, failures = services().master_key, services().failed_logins
    caller = g.principal = log_in(lambda may: find_caller(key if may else None), failures, g.address, claimed)
    logged = logged_request.current.get()
    if logged is not None:
        repo_name = (request.view_args or {}).get("repo_name")
        logged.user, logged.token = caller.user.id, "master key" if caller.token is None else caller.token.name
        logged.repo = None if repo_name is None else f"{caller.owner}/{repo_name}"
    count_request()
    _take_turn()


def _take_turn() -> None:
    """Begin to work on the request of this user, perhaps after a wait; TooBusy if there is no room for it."""
    if "turn" not in g:
        g.turn = services().turns.begin(principal().user.id)


def stream() -> Callable[[], None]:
    """Begin an answer in pieces, and return what must be called at its end; TooBusy if the user has too many."""
    return services().turns.stream(principal().user.id)


def end(_: BaseException | None) -> None:
    """Let another request of this user be worked on."""
    turn = g.pop("turn", None)
    if turn is not None:
        services().turns.end(turn)


def authenticate_self() -> None:
    """Identify the caller, and refuse one who names another user; the master key acts for whom it names."""
    authenticate()
    g.admit = authenticate_self
    if principal().is_guest:
        raise Forbidden(f"This is about you, '{principal().user.id}': leave out X-User-Id and user_id.")


def authorize() -> None:
    """Identify the caller, and refuse a request that they may not make for the repo in the path."""
    _authorize(authorize, Access.READ if request.method in READING else Access.WRITE)


def authorize_reading() -> None:
    """Identify the caller, and refuse one who may not read the repo in the path, whatever the method."""
    _authorize(authorize_reading, Access.READ)


def _authorize(check: Callable[[], None], needed: Access) -> None:
    g.needed = needed
    authenticate()
    g.admit = check
    auth.authorize(services().store, principal(), needed, (request.view_args or {}).get("repo_name"))


def count_request() -> None:
    """Count the request once for its token; TooManyRequests if it is one too many."""
    rates = services().rates
    if rates is not None and "is_counted" not in g:
        g.is_counted = True
        rates.count(principal().counted_as)


@contextmanager
def readmit_if_slow() -> Iterator[None]:
    """Check the caller's rights again if the block took long, for example while a slow client sent its body.

    A revoked token or grant must stop working at once, and not when the client has sent everything.
    """
    started = time.monotonic()
    yield
    if time.monotonic() - started > _SLOW:
        g.admit()


def principal() -> Principal:
    """Return the caller."""
    return cast(Principal, g.principal)


def origin() -> Origin:
    """Return the author of the changes of this request."""
    return principal().origin(request_id(), reason())


def reason() -> str | None:
    """Return why the caller makes a change, as `X-Change-Reason` tells; None where it tells nothing."""
    given = request.headers.get("X-Change-Reason")
    try:
        return None if given is None else reasons.read(given.encode("latin-1"))  # WSGI has each byte as a character
    except ValueError as error:
        raise InvalidHeader(f"The header X-Change-Reason {error}.") from error


def request_id() -> str:
    """Return the id of this request: the client's `X-Request-Id`, or a random one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    return cast(str, g.request_id)


def repository(repo_name: str) -> Repository:
    """Return the git repository of one of the owner's repos."""
    return repos.open_repository(services().store, principal().owner, repo_name)


def places() -> Places:
    """Return where repos are, for what becomes of them as a whole, when what a crash cut short is finished."""
    found = services()
    places = Places(found.accounts, found.store, found.deleted, found.settings.keep_deleted)
    with suppress(StorageError):  # while the accounts are damaged, the master key makes repos all the same
        unfinished.mend(places)
    return places


def shares() -> Shares:
    """Return which repos were ever shared with whom."""
    return Shares(services().accounts, services().store)


def snapshot(repo_name: str, query: Mapping[str, Any]) -> Snapshot:
    """Return the content of one of the owner's repos, at the query's `ref` if there is one."""
    return revisions.at(repository(repo_name), query.get("ref"))


def _named_user() -> str | None:
    """Return the owner that the request names, in the header or else in the query."""
    header = request.headers.get("X-User-Id")
    if header is not None:
        problem = user_id_problem(header)
        if problem:
            raise InvalidHeader(f"The header X-User-Id {problem}.")
    query = request.args.get("user_id") or None  # the Node SDK sends null as an empty value
    if query is not None:
        problem = user_id_problem(query)
        if problem:
            mistake = Mistake("string_pattern_mismatch", f"A user id {problem}")
            raise InvalidRequest([(("query", "user_id"), mistake)])
    return header or query

"""The credentials of a request: how the caller is found by them, and how they stay out of answers."""

import ipaddress
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from flask import request

from app.auth import LoginFailed, Principal
from app.domain.names import user_id_problem
from app.domain.tokens import SECRET
from app.settings import Network
from app.wire.failed_logins import FailedLogins, TooManyFailedLogins

_HIDDEN = "(secret)"
_LEAST_SECRET = 8  # characters; hiding a shorter text would spoil other words

_log = logging.getLogger(__name__)


def log_in(
    find_caller: Callable[[bool], Principal], failures: FailedLogins, address: str, claimed: str | None
) -> Principal:
    """Return the caller. Log and count a failure by the client's address, with the user name that it claimed.

    After many failures from an address `find_caller` is called with False: then the master key, which an
    operator may have chosen badly, lets nobody in from there. Tokens are too long to be guessed, and still do.
    """
    seconds = failures.seconds_to_wait(address)
    try:
        return find_caller(seconds == 0)
    except LoginFailed as error:
        if seconds:
            raise TooManyFailedLogins(seconds) from error
        failures.count(address)
        name = f" as '{hide_credentials(claimed)}'" if claimed and not user_id_problem(claimed) else ""
        _log.warning("Failed login from %s%s: %s", address, name, error)
        raise


def client_address(proxies: Sequence[Network]) -> str:
    """Return the address of the client, which trusted proxies tell in `X-Forwarded-For`, each after those before it."""
    client, told = request.remote_addr or "", request.headers.get("X-Forwarded-For", "")
    with suppress(ValueError):  # what is no address is told by nobody who is trusted
        for part in reversed(told.split(",")) if told else ():
            address = ipaddress.ip_address(client)
            if not any(address in network for network in proxies):
                break
            client = str(ipaddress.ip_address(part.strip()))
    return client


def hide_credentials(text: str) -> str:
    """Return a text without what this request presents as its secret, and without tokens."""
    authorization = request.authorization
    secret = (authorization.password or authorization.token) if authorization else None
    if secret and len(secret) >= _LEAST_SECRET:
        text = text.replace(secret, _HIDDEN)
    return SECRET.sub(_HIDDEN, text)

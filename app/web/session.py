"""The cookie of somebody who signed in: signed by the server, and good for a day at most.

The cookie names the token and holds no secret: a code made of the token's hash shows whether the token is the same.
"""

import hashlib
import hmac
import time
from datetime import timedelta
from typing import cast

from flask import Flask, Request, current_app, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from app.auth import Principal, SignIn
from app.wire.context import services

COOKIE = "bakehouse_session"
LIFETIME = timedelta(hours=12)
_NOT_PAGES = ("/v1/", "/git/")


class _Pages(SecureCookieSessionInterface):
    """Keep sessions for pages alone: the API takes no cookie."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(_NOT_PAGES) or not app.secret_key:
            return None
        return super().open_session(app, request)

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 — Flask's own signature
        """Keep the cookie below the address of this server, where a proxy gives the server a path of its own."""
        return request.script_root or "/"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 — Flask's own signature
        """Send the cookie over TLS alone, where the client uses TLS."""
        return is_over_tls()


def install(app: Flask) -> None:
    """Have the pages of an application keep who signed in."""
    app.session_interface = _Pages()
    app.config |= {
        "SESSION_COOKIE_NAME": COOKIE,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": LIFETIME,
    }


def is_over_tls() -> bool:
    """Tell whether the client uses TLS: to this server, or to the public address of it."""
    return request.is_secure or (services().settings.public_url or "").startswith("https:")


def begin(caller: Principal) -> None:
    """Remember a caller who showed their token, or the master key."""
    session.clear()  # whatever a stranger put there before the sign-in
    session.permanent = True
    token = caller.token
    session["user"] = None if token is None else caller.user.id
    session["token"] = None if token is None else token.name
    session["mark"] = _mark(services().master_key if token is None else token.sha256)
    session["until"] = int(time.time() + LIFETIME.total_seconds())


def find() -> SignIn | None:
    """Return who signed in, as the cookie of this request says; None for nobody, or where the time is over."""
    mark = session.get("mark")
    if mark is None or session["until"] <= time.time():
        return None

    def matches(secret: str) -> bool:
        return hmac.compare_digest(mark, _mark(secret))

    return SignIn(session["user"], session["token"], matches)


def is_of_api() -> bool:
    """Tell whether a request brings a token and no cookie: then it asks the API, at an address that is wrong."""
    given = request.authorization
    return given is not None and given.type == "bearer" and session.get("mark") is None


def end() -> None:
    """Forget who signed in."""
    session.clear()


def _mark(secret: str) -> str:
    key = cast(str, current_app.secret_key)
    return hmac.new(key.encode(), secret.encode(), hashlib.sha256).hexdigest()

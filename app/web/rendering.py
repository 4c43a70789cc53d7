"""Pages from templates, with what every page knows: who looks, and which repo it is about."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, make_response, render_template, request, session
from flask_wtf.csrf import generate_csrf
from jinja2 import StrictUndefined

from app.auth import Principal
from app.domain.differences import MISSING
from app.web import filters
from app.wire import context

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",  # nobody reads a page with the back button after the sign-out
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page. `token` is None for the master key."""

    user_id: str
    name: str
    token: str | None

    @classmethod
    def of(cls, caller: Principal) -> "Viewer":
        """Return a caller as pages name them."""
        if caller.token is None:
            return cls("", "master key", None)
        return cls(caller.user.id, caller.user.alias or caller.user.id, caller.token.name)

    @property
    def is_master(self) -> bool:
        """Tell whether somebody signed in with the master key."""
        return self.token is None


def install(app: Flask) -> None:
    """Prepare the templates of an application."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.tests["missing"] = lambda value: value is MISSING
    filters.install(app)


def page(template: str, status: int = 200, /, **values: Any) -> Response:
    """Return a page. Every template knows the `viewer`, and the `place` where there is one."""
    caller: Principal | None = g.get("principal")
    viewer = None if caller is None else Viewer.of(caller)
    return make_response(render_template(template, **{"viewer": viewer, "place": g.get("place"), **values}), status)


def kept(template: str, values: Callable[[], Mapping[str, Any]], **also: Any) -> Response:
    """Return a page whose `values` follow from its address and from the repo at a commit, with its labels and tags.

    What else the page shows is in `also`. The page is kept as answers of the API are, for one viewer who signed in:
    until the repo changes, the viewer's rights, or what is in `also`. A message that is shown once is on no page that
    is kept.
    """
    if "_flashes" in session:
        return page(template, **values(), **also)
    if "csrf_token" not in session:
        generate_csrf()  # the forms of a kept page have the token of this session
    place, caller = g.place, context.principal()
    rights = place.may_write, place.may_manage, place.is_own
    tags = [(tag.name, tag.commit) for tag in place.repository.tags()]
    about = template, session["csrf_token"], Viewer.of(caller), rights, place.snapshot.commit, tags, also
    version = hashlib.sha256(repr(about).encode()).hexdigest()
    cache = context.services().answer_cache
    return make_response(cache.get((request.url, version), lambda: page(template, **values(), **also).data))


def protect(response: Response) -> Response:
    """Add to a page what keeps other sites and scripts out of it."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response

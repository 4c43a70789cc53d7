"""Bakehouse: target configurations as YAML files in git repositories, over HTTP."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from app import api, errors, master_key, open_files, openapi, session_key, web
from app.registry.life import deleted, unfinished
from app.registry.life.places import Places
from app.registry.messages import Origin
from app.registry.stores import Stores
from app.registry.users.accounts import REPOSITORY, Accounts
from app.runs.services import Runs
from app.settings import Settings, SettingsError
from app.wire import body, contract
from app.wire.context import Services
from app.wire.rates import RateLimiter
from app.wire.turns import Turns
from storage.budget import Limits
from storage.errors import LayoutUnknown, RepositoryDamaged, StorageError
from storage.maintenance import Maintenance
from storage.store import Store
from storage.waits import Waits

_ACCOUNTS_DAMAGED = """\
%s.
Until this is repaired, only the master key works; requests with a token are answered with 503.
To see what is damaged, run: bakehouse verify
To repair it, replace %s with a copy from a backup. The server need not be restarted."""

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)


class _Json(DefaultJSONProvider):
    """Write JSON in UTF-8, with the fields in the order of the schemas."""

    sort_keys = False
    ensure_ascii = False
    compact = True


def create_app(settings: Settings) -> Flask:
    """Return the WSGI application; SettingsError if it cannot start with these settings."""
    data_dir = settings.make_data_dir()
    key = master_key.ensure(settings)
    maintenance = Maintenance(data_dir / ".maintenance" if settings.maintenance else None)
    share = open_files.divide(open_files.limit(), settings.workers, settings.threads)
    waits = Waits(settings.lock_timeout, max(1, share.threads // 2))
    limits = Limits(settings.max_document, settings.max_write)
    stores = Stores.of(data_dir, maintenance, waits, share.repositories, limits)
    accounts = _open_accounts(stores.accounts, data_dir)
    _mend(Places(accounts, stores.repos, stores.deleted, settings.keep_deleted))
    stores.repos.checkpoint_leftovers()
    rates = RateLimiter(data_dir / "rates", settings.rate_limit) if settings.rate_limit else None
    turns = Turns(share.threads)
    runs = Runs(settings, stores.repos)
    app = assemble(Services(settings, key, accounts, stores.repos, stores.deleted, rates, runs, turns=turns))
    app.secret_key = session_key.ensure(settings, key)
    return app


def assemble(services: Services) -> Flask:
    """Return the WSGI application that answers from some services."""
    app = Flask("bakehouse", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = body.most_sent(services.settings.max_body)
    app.json = _Json(app)
    app.url_map.merge_slashes = False
    app.url_map.converters |= {**api.CONVERTERS, **web.CONVERTERS}
    app.extensions["bakehouse"] = services

    app.wsgi_app = _below(services.settings.prefix, app.wsgi_app)  # type: ignore[assignment, method-assign]
    web.install(app)
    errors.register(app)
    for blueprint in (*api.BLUEPRINTS, *web.BLUEPRINTS):
        app.register_blueprint(blueprint)
    openapi.register(app)
    contract.check_routes(app)
    return app


def _below(prefix: str, inner: "WSGIApplication") -> "WSGIApplication":
    """Return an application that tells Flask of the path that a proxy took away, which the addresses of pages have."""

    def call(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME") or prefix
        return inner(environ, start_response)

    return call if prefix else inner


def _mend(places: Places) -> None:
    """Finish what a crash cut short, and remove for good what was deleted long ago."""
    try:
        unfinished.mend(places)
        deleted.remove_expired(places)
    except RepositoryDamaged:  # which the log tells already
        pass
    except StorageError as error:  # the next start, rename or deletion tries again
        _log.warning("Renames and deletions are left as they are for now: %s", error)


def _open_accounts(store: Store, data_dir: Path) -> Accounts:
    """Return the users' accounts. If they are damaged, log how to repair them."""
    try:
        accounts = Accounts(store, Origin("bakehouse"))
        problem = accounts.find_problem()
        if isinstance(problem, LayoutUnknown):
            raise problem
    except StorageError as error:
        raise SettingsError(f"The data directory {data_dir} cannot be used: {error}.") from error
    if isinstance(problem, RepositoryDamaged):
        _log.error(_ACCOUNTS_DAMAGED, problem, data_dir / f"{REPOSITORY}.git")
    elif problem is not None:
        _log.error("%s. Until the disk answers again, every request is answered with 503.", problem)
    return accounts

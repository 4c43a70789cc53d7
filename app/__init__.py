"""Bakehouse: target configurations as YAML files in git repositories, over HTTP."""

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from app import api, errors, files, master_key, openapi, web
from app.api.context import Services
from app.api.rates import RateLimiter
from app.registry.accounts import Accounts
from app.registry.commits import Origin
from app.settings import Settings, SettingsError
from storage.errors import StorageError
from storage.maintenance import Maintenance
from storage.store import Store


class _Json(DefaultJSONProvider):
    """Answers in UTF-8, with fields in the contract's order."""

    sort_keys = False
    ensure_ascii = False
    compact = True


def create_app(settings: Settings) -> Flask:
    """Return the WSGI application for some settings; SettingsError if it cannot start with them."""
    app = Flask("bakehouse", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.json = _Json(app)
    app.url_map.merge_slashes = False
    app.url_map.converters |= api.CONVERTERS

    data_dir = settings.make_data_dir()
    key = master_key.ensure(settings)
    maintenance = Maintenance(data_dir / ".maintenance" if settings.maintenance else None)
    try:
        accounts = Accounts(Store(data_dir, maintenance), Origin("bakehouse"))
    except StorageError as error:
        raise SettingsError(f"The data directory {data_dir} cannot be used: {error}.") from error
    share = files.divide(files.limit(), settings.workers, settings.threads)
    store = Store(data_dir / "repos", maintenance, share.repositories)
    store.publish_leftovers()
    rates = RateLimiter(data_dir / "rates", settings.rate_limit) if settings.rate_limit else None
    app.extensions["bakehouse"] = Services(settings, key, accounts, store, rates)

    errors.register(app)
    for blueprint in (*api.BLUEPRINTS, *web.BLUEPRINTS):
        app.register_blueprint(blueprint)
    openapi.register(app)
    return app

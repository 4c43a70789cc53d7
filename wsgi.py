"""The WSGI application, for `gunicorn wsgi:app`. Settings come from the environment."""

from app import create_app, logs, master_key
from app.settings import Settings

_settings = Settings.from_env()
_settings.make_data_dir()
logs.configure(_settings, master_key.ensure(_settings))
app = create_app(_settings)

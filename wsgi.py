"""The WSGI application, for `gunicorn wsgi:app`. Settings come from the environment."""

from app import create_app, data_dir, logs, master_key
from app.settings import Settings

settings = Settings.from_env()
settings.make_data_dir()
membership = data_dir.join(settings)
membership.keep_up()
logs.configure(settings, master_key.ensure(settings))
app = create_app(settings)

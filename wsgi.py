"""The WSGI application, for `gunicorn wsgi:app`. Settings come from the environment."""

from app import create_app, data_dir
from app.settings import Settings

settings = Settings.from_env()
settings.make_data_dir()
membership = data_dir.join(settings)
membership.keep_up()
app = create_app(settings)

"""`bakehouse serve`: the server, under gunicorn."""

import socket
from collections.abc import Callable
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from app import create_app, master_key
from app.settings import Settings, SettingsError


@click.command()
def serve() -> None:
    """Start the server."""
    settings = Settings.from_env()
    settings.make_data_dir()
    _check_address(settings)
    master_key.ensure(settings)
    _Server(settings).run()


def _check_address(settings: Settings) -> None:
    """Raise SettingsError where nobody can listen; gunicorn would try for seconds, and log a trace."""
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        raise SettingsError(
            f"BAKEHOUSE_HOST and BAKEHOUSE_PORT: nobody can listen on {settings.url}: {error.strerror}."
        ) from error


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what to listen on and how many to be."""
        settings = self._settings
        options = {
            "bind": settings.url.removeprefix("http://"),
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": "gthread",
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        """Return the application, in each worker."""
        return create_app(self._settings)

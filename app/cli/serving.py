"""`bakehouse serve`: the server, under gunicorn."""

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from app import create_app, master_key
from app.settings import Settings, SettingsError

_WAITING_CONNECTIONS = 2048  # gunicorn's own number


@click.command()
def serve() -> None:
    """Start the server."""
    settings = Settings.from_env()
    settings.make_data_dir()
    listener = _listen(settings)
    settings = replace(settings, port=listener.getsockname()[1])  # which one, where any will do
    master_key.ensure(settings)
    _Server(settings, listener).run()


def _listen(settings: Settings) -> socket.socket:
    """Listen, or raise SettingsError where nobody can; gunicorn would try for seconds, and log a trace."""
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_WAITING_CONNECTIONS)
    except OSError as error:
        raise SettingsError(
            f"BAKEHOUSE_HOST and BAKEHOUSE_PORT: nobody can listen on {settings.url}: {error.strerror}."
        ) from error


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._bind = f"fd://{listener.detach()}"
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what to listen on and how many to be."""
        settings = self._settings
        options = {
            "bind": self._bind,
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

"""`bakehouse serve`: the server, under gunicorn."""

import ctypes
import gc
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from app import create_app, files, master_key
from app.files import Share
from app.settings import Settings, SettingsError
from storage.errors import NO_ROOM
from storage.machine import cores

_WAITING_CONNECTIONS = 2048  # gunicorn's own number
_MOMENT = 0.05  # seconds
_NEW_OBJECTS = 10_000  # what 400 creates leave; Python's own number is 700
_ARENA_MAX = -8  # glibc's M_ARENA_MAX


@click.command()
def serve() -> None:
    """Start the server."""
    run(create_app)


def run(create: Callable[[Settings], Flask]) -> None:
    """Serve what `create` returns, with the settings of the environment, until the process is told to end."""
    settings = Settings.from_env()
    files.raise_limit()
    share = files.divide(files.limit(), settings.workers, settings.threads)
    settings.make_data_dir()
    listener = _listen(settings)
    settings = replace(settings, port=listener.getsockname()[1])  # which one, where any will do
    master_key.ensure(settings)
    _Server(settings, share, listener, create).run()


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

    def __init__(
        self,
        settings: Settings,
        share: Share,
        listener: socket.socket,
        create: Callable[[Settings], Flask],
    ) -> None:
        self._settings = settings
        self._share = share
        self._create = create
        self._bind = f"fd://{listener.detach()}"
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what to listen on and how many to be."""
        options = {
            "bind": self._bind,
            "workers": self._settings.workers,
            "threads": self._share.threads,
            "worker_connections": self._share.connections,
            "worker_class": _Worker,
            "control_socket_disable": True,
            "when_ready": self._tell,
            "pre_fork": _choose_share,
            "post_fork": _pin_to_share,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _tell(self, arbiter: Arbiter) -> None:
        arbiter.log.info("%s", self._share)

    def load(self) -> Callable[..., Any]:
        """Return the application, in each worker."""
        _use_one_heap()
        app = self._create(self._settings)
        _spare_the_collector()
        return app


class _Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's, which goes on where the system has no room for one more connection."""

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, or let it wait."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            time.sleep(_MOMENT)


def _choose_share(arbiter: Arbiter, worker: Worker) -> None:
    """Let a new worker have the share of the cores that fewest of the others have."""
    others = [other.share_of_cores for other in arbiter.WORKERS.values()]
    worker.share_of_cores = min(range(arbiter.cfg.workers), key=others.count)


def _pin_to_share(arbiter: Arbiter, worker: Worker) -> None:
    cores.pin_to_share(worker.share_of_cores, arbiter.cfg.workers)


def _use_one_heap() -> None:
    """Let the threads that begin from now on allocate from one heap, so that what is free in it serves all.

    glibc would give them heaps of their own; after large requests those held six times as much.
    """
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def _spare_the_collector() -> None:
    """Let the garbage collector look only at what comes now, and less often.

    What there is by now stays. Most of the rest is freed without it; only cycles wait for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])

"""`bakehouse serve`: the server, under gunicorn."""

import ctypes
import gc
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from app import create_app, data_dir, logs, master_key, open_files
from app.cli.arbiter import Arbiter
from app.cli.gunicorn_log import GunicornLog
from app.cli.listening import listen
from app.cli.run_workers import RunWorkers
from app.cli.web_worker import WebWorker
from app.open_files import Share
from app.settings import Settings
from storage.machine import cores
from storage.servers import Membership

_NEW_OBJECTS = 10_000  # allocations between collections, about those of 400 creates; Python's default is 700
_SWITCH_SECONDS = 0.001  # that one thread may run Python while others wait; Python's default is 0.005
_LONGEST_HEADER = 12_288  # bytes; a reason of 1,000 characters has up to 12,000, percent-encoded
_ARENA_MAX = -8  # glibc's M_ARENA_MAX

_log = logging.getLogger(__name__)


@click.command()
def serve() -> None:
    """Start the server."""
    run(create_app)


def run(create: Callable[[Settings], Flask]) -> None:
    """Serve the application that `create` returns, with the settings of the environment, until a signal."""
    settings = Settings.from_env()
    open_files.raise_limit()
    share = open_files.divide(open_files.limit(), settings.workers, settings.threads)
    settings.make_data_dir()
    membership = data_dir.join(settings)
    listener = listen(settings)
    settings = replace(settings, port=listener.getsockname()[1])  # the real port if 0 was given
    logs.configure(settings, master_key.ensure(settings))
    _log.info("The data directory is %s", settings.data_dir.resolve())
    _Server(settings, share, listener, create, membership).run()


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings."""

    def __init__(
        self,
        settings: Settings,
        share: Share,
        listener: socket.socket,
        create: Callable[[Settings], Flask],
        membership: Membership,
    ) -> None:
        """Take what the workers inherit; `membership` is one for all of them."""
        self._settings = settings
        self._share = share
        self._create = create
        self._membership = membership
        self._bind = f"fd://{listener.detach()}"
        self.min_rate = settings.min_rate
        super().__init__()

    def run(self) -> None:
        """Serve until a signal."""
        Arbiter(self, RunWorkers(self._settings.run_workers)).run()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        options = {
            "bind": self._bind,
            "workers": self._settings.workers,
            "threads": self._share.threads,
            "worker_connections": self._share.connections,
            "worker_class": WebWorker,
            "keepalive": self._settings.keep_alive,
            "logger_class": GunicornLog,
            "limit_request_field_size": _LONGEST_HEADER,
            "forwarder_headers": "",  # a client on this machine must not set SCRIPT_NAME
            "sendfile": False,  # the system would wait for a slow client, without an end
            "control_socket_disable": True,
            "when_ready": self._log_share,
            "pre_fork": _choose_share,
            "post_fork": _set_up,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _log_share(self, arbiter: Arbiter) -> None:
        arbiter.log.info("%s", self._share)

    def load(self) -> Callable[..., Any]:
        """Create the application, in each worker."""
        _use_one_heap()
        sys.setswitchinterval(_SWITCH_SECONDS)  # a short request then waits less beside a long one
        self._membership.keep_up()
        app = self._create(self._settings)
        _spare_the_collector()
        return app


def _choose_share(arbiter: Arbiter, worker: WebWorker) -> None:
    """Give a new worker the share of the cores that the fewest other workers have."""
    others = [other.share_of_cores for other in arbiter.WORKERS.values()]
    worker.share_of_cores = min(range(arbiter.cfg.workers), key=others.count)


def _set_up(arbiter: Arbiter, worker: WebWorker) -> None:
    """Leave to the master what is the master's, and use a share of the cores, in a worker that has just started."""
    arbiter.run_workers.leave_to_master()
    cores.pin_to_share(worker.share_of_cores, arbiter.cfg.workers)


def _use_one_heap() -> None:
    """Have all threads that start from now on allocate from one heap, and reuse its free memory.

    By default glibc gives each thread its own heap; these kept six times as much after large requests.
    """
    with suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def _spare_the_collector() -> None:
    """Run the garbage collector less often, and only on objects that are created from now on.

    The application itself stays, and reference counts free most other objects: only cycles wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])

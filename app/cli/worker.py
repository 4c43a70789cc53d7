"""`bakehouse worker`: a process that carries out runs."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import click

from app import data_dir, logs, master_key, open_files
from app.registry.stores import Stores
from app.runs.services import Runs
from app.runs.work import consumer
from app.settings import Settings
from storage.budget import Limits
from storage.maintenance import Maintenance
from storage.waits import Waits

_OPEN_REPOS = 8
_NICENESS = 10  # beside a web worker, which has 0, a run worker gets a tenth of the core that both want
_SECONDS_TO_END = 30.0  # once the standard input is closed; a worker that takes longer ends at once

_log = logging.getLogger(__name__)


@click.command()
@click.option("--end-with-stdin", is_flag=True, help="End when the standard input is closed.")
def worker(end_with_stdin: bool) -> None:
    """Carry out runs, until a signal.

    `bakehouse serve` starts workers by itself, as many as BAKEHOUSE_RUN_WORKERS says. Others help them: on this machine
    with the same settings, or on another one that shares the data directory.
    """
    settings = Settings.from_env()
    os.nice(_NICENESS)
    open_files.raise_limit()
    at_once = open_files.runs_at_once(open_files.limit(), settings.runs_at_once)
    settings = replace(settings, runs_at_once=at_once)
    settings.make_data_dir()
    membership = data_dir.join(settings)
    logs.configure(settings, master_key.ensure(settings))
    membership.keep_up()
    logging.getLogger("huey").setLevel(logging.WARNING)  # it tells of each task
    for way in (signal.SIGINT, signal.SIGTERM):  # until the consumer has its own handlers
        signal.signal(way, lambda *_: sys.exit(0))
    is_orphaned = _watch_stdin() if end_with_stdin else lambda: False
    _log.info("Run worker %d carries out %d runs at once, of %s", os.getpid(), at_once, settings.data_dir.resolve())
    try:
        consumer.run(Runs(settings, _stores(settings).repos), is_orphaned)
    finally:
        _log.info("Run worker %d has ended", os.getpid())


def _stores(settings: Settings) -> Stores:
    maintenance = Maintenance(settings.data_dir / ".maintenance" if settings.maintenance else None)
    waits = Waits(settings.lock_timeout, settings.runs_at_once)
    limits = Limits(settings.max_document, settings.max_write)
    return Stores.of(settings.data_dir, maintenance, waits, _OPEN_REPOS, limits)


def _watch_stdin() -> Callable[[], bool]:
    """Return a function that tells whether the standard input is closed, as it is when the server has ended."""
    is_closed = threading.Event()

    def read() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        is_closed.set()
        time.sleep(_SECONDS_TO_END)
        os._exit(1)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return is_closed.is_set

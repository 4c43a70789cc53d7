"""Divide the files that a worker may have open between threads, repositories and connections.

Past the limit any call can fail with EMFILE, and a request would go unanswered or a worker end. So each
worker does less at once, and stays below the limit.
"""

import resource
import sys
from contextlib import suppress
from typing import NamedTuple

from app.settings import SettingsError

_BASE = 26  # the poller, pipes, the log (10); the accounts (4); checkpoints and maintenance (12)
_REPOSITORY = 4  # the journal, and the pipes to a `git cat-file`
_WORK = 11  # of a thread: a lock, a git process that starts, the repository in use
_LEAST = _WORK + _REPOSITORY + 2  # of a thread: one repository, one connection, one waiting connection
_MOST_REPOSITORIES = 128
_BASE_OF_RUNS = 36  # of a run worker: the log, the lock, the ledger and the queue (16), and those repos that stay open
_RUN = 26  # its connections to a model, the usual 10, and to the ledger; a git process that starts
_MOST_CONNECTIONS = 1000  # gunicorn's own number


class Share(NamedTuple):
    """How much a worker may do at once without more than `files` open files."""

    files: int
    threads: int
    connections: int
    repositories: int

    def __str__(self) -> str:
        return (
            f"Each worker may open {self.files} files: at once {self.repositories} repos stay open, "
            f"{self.connections} connections too, and {self.threads} requests are worked on."
        )


def raise_limit() -> None:
    """Raise the limit of open files of this process and its children as far as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS reports a higher limit than it grants
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def limit() -> int:
    """Return how many files this process may open at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def divide(files: int, workers: int, threads: int) -> Share:
    """Return what each worker may do with `files` open files; SettingsError if one thread needs more.

    A low limit costs open repositories and connections first, then threads.
    """
    spare = files - _BASE - workers  # gunicorn opens one file for each worker
    if spare < _LEAST:
        raise _too_few(files, files - spare + _LEAST)
    threads = min(threads, spare // _LEAST)
    spare -= threads * _LEAST
    more = min(spare // 2 // _REPOSITORY, max(0, _MOST_REPOSITORIES - threads))
    connections = 2 * threads + spare - more * _REPOSITORY
    return Share(files, threads, min(connections, _MOST_CONNECTIONS), threads + more)


def runs_at_once(files: int, wanted: int) -> int:
    """Return how many runs a run worker carries out at once with `files` open files; SettingsError if none."""
    possible = (files - _BASE_OF_RUNS) // _RUN
    if possible < 1:
        raise _too_few(files, _BASE_OF_RUNS + _RUN)
    return min(wanted, possible)


def _too_few(files: int, least: int) -> SettingsError:
    return SettingsError(
        f"A process may open only {files} files at once, and needs at least {least}: "
        "raise the limit, for example with `ulimit -n 1024` or systemd's LimitNOFILE."
    )

"""How many files a worker may have open at once, and what it has them for.

The system refuses one more with EMFILE, wherever that is: a request would go unanswered, or a worker
end. So a worker does less at once, and never needs it.
"""

import resource
import sys
from contextlib import suppress
from typing import NamedTuple

from app.settings import SettingsError

_BASE = 26  # the poller, pipes, the log (10); the accounts (4); publishing and maintenance (12)
_REPOSITORY = 4  # the journal, and the pipes to a `git cat-file`
_WORK = 11  # of a thread: a lock, a git process that begins, the repository that it has in hand
_LEAST = _WORK + _REPOSITORY + 2  # for each thread: a repository, a connection, and one that waits
_MOST_REPOSITORIES = 128
_MOST_CONNECTIONS = 1000  # gunicorn's own number


class Share(NamedTuple):
    """What a worker may have at once, so that it never needs more than so many files."""

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
    """Let this process, and those that it starts, open as many files as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS tells of more than it gives
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def limit() -> int:
    """Return how many files this process may open at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def divide(files: int, workers: int, threads: int) -> Share:
    """Divide the files that each of some workers may open; SettingsError where one thread needs more.

    Where they are few, fewer repositories and connections stay open, and then threads are fewer, too.
    """
    spare = files - _BASE - workers  # gunicorn has a file for each
    if spare < _LEAST:
        raise SettingsError(
            f"A process may open only {files} files at once, and {files - spare + _LEAST} are the least: "
            "raise the limit, with `ulimit -n 1024`, say, or systemd's LimitNOFILE."
        )
    threads = min(threads, spare // _LEAST)
    spare -= threads * _LEAST
    more = min(spare // 2 // _REPOSITORY, max(0, _MOST_REPOSITORIES - threads))
    connections = 2 * threads + spare - more * _REPOSITORY
    return Share(files, threads, min(connections, _MOST_CONNECTIONS), threads + more)


def needed(share: Share, workers: int) -> int:
    """Return how many files a worker has open at the most."""
    repositories = share.repositories * _REPOSITORY
    return _BASE + workers + share.threads * _WORK + repositories + share.connections

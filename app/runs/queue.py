"""The queue that wakes workers: Huey over SQLite, PostgreSQL or Redis.

Nothing is lost with the queue: a run is in the ledger before its task is in the queue, and workers look there, too.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey import Huey
from huey.api import Task, TaskWrapper
from huey.exceptions import HueyException
from huey.registry import Message
from huey.storage import BaseStorage, PostgresStorage, RedisStorage, SqliteStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.settings import Settings, SettingsError

_NAME = "bakehouse"
_POLL = 0.1  # seconds between looks at a SQLite file; 0.02 ms each, measured
_READ = 1  # seconds after which a thread that waits for a task looks whether it should stop
_PATIENCE = 3  # seconds that a caller waits for the queue

_logger = logging.getLogger(__name__)
_Errors = tuple[type[Exception], ...]


class Queue(Huey):  # type: ignore[misc]
    """Tasks without arguments, each taken once. Where the queue does not answer, only the log says so.

    Huey could also store results, revoke tasks and schedule them. The ledger says what became of a run, so these are
    off, and cost no request.
    """

    def __init__(self, make_storage: Callable[[], BaseStorage], gone: _Errors) -> None:
        self._make_storage = make_storage
        self._gone = gone
        self._is_gone = False
        super().__init__(_NAME, results=False, serializer=_Tasks())
        self.on_wake: Callable[[], object] = bool  # what a worker does when it is woken
        self.wake: TaskWrapper = self.task(name="wake")(self._woken)

    def _woken(self) -> None:
        self.on_wake()

    def create_storage(self) -> BaseStorage:
        """Return the storage, which exists and answers."""
        return self._make_storage()

    def enqueue(self, task: Task) -> None:
        """Put a task into the queue, if the queue answers."""
        try:
            try:
                super().enqueue(task)
            except self._gone:  # a connection from before a restart of the server
                super().enqueue(task)
        except self._gone as error:
            self._tell(error)
        else:
            self._is_gone = False

    def dequeue(self) -> Task | None:
        """Wait for a task for a second, and take it; None without one.

        While the queue does not answer, a worker is woken each second, and looks into the ledger.
        """
        try:
            task = super().dequeue()
        except self._gone as error:
            self._tell(error)
            time.sleep(_READ)
            woken: Task = self.wake.s()
            return woken
        except (ValueError, RecursionError, HueyException) as error:
            _logger.warning("The queue of runs held something that is not Bakehouse's: %.200s.", error)
            return None
        self._is_gone = False
        return task

    def is_revoked(self, *_: object) -> bool:
        """Tell Huey that no task is revoked."""
        return False

    def delete(self, *_: object) -> bool:
        """Tell Huey that there was no note about a task to delete."""
        return False

    def read_schedule(self, *_: object) -> list[Task]:
        """Tell Huey that no task waits for its time."""
        return []

    def _tell(self, error: Exception) -> None:
        if not self._is_gone:
            self._is_gone = True
            _logger.error("The queue of runs does not answer, so runs start late: %s", _sentence(error))


class _Tasks:
    """Tasks as JSON: others may reach the queue, and what they put there must not run as code."""

    def serialize(self, message: Message) -> bytes:
        return json.dumps([message.id, message.name]).encode()

    def deserialize(self, data: object) -> Message:
        """Return the task; ValueError for anything else, RecursionError for JSON that is too deep."""
        match json.loads(bytes(data)) if isinstance(data, bytes | memoryview) else None:
            case [str(task), str(name)]:
                return Message(task, name, args=(), kwargs={}, retries=0, retry_delay=0)
        raise ValueError("it is no list of a task's id and its name")


class _SqliteStorage(SqliteStorage):  # type: ignore[misc]
    """SQLite where a reader waits for a task, as readers of PostgreSQL and Redis do."""

    blocking = True

    def dequeue(self) -> object:
        deadline = time.monotonic() + _READ
        while (task := super().dequeue()) is None and time.monotonic() < deadline:
            time.sleep(_POLL)
        return task


def make(settings: Settings) -> Queue:
    """Return the queue that settings name; SettingsError if its driver is not installed, or it does not answer."""
    variable, url = "BAKEHOUSE_QUEUE_URL", settings.queue_url
    if url is None and (settings.database_url or "").startswith("postgresql:"):
        variable, url = "BAKEHOUSE_DATABASE_URL", settings.database_url
    if url is None:
        return _sqlite(settings.make_data_dir() / "queue.sqlite")
    try:
        parsed = make_url(url)
        match parsed.drivername:
            case "sqlite":
                return _sqlite(Path(str(parsed.database)))
            case "postgresql":
                return _postgresql(variable, url)
        return _redis(variable, url)
    except (ArgumentError, ValueError):  # whose text may repeat a part of a password
        raise SettingsError(
            f"{variable} must be a URL, in which signs such as @ and / of the password are written %40 and %2F."
        ) from None


def _sqlite(path: Path) -> Queue:
    try:
        return Queue(
            lambda: _SqliteStorage(_NAME, str(path), cache_mb=0, fsync=True, timeout=_PATIENCE, strict_fifo=True),
            (sqlite3.Error,),
        )
    except sqlite3.OperationalError as error:
        raise SettingsError(f"The queue of runs, {path}, cannot be used: {_sentence(error)}") from error
    except sqlite3.DatabaseError as error:
        raise SettingsError(
            f"The queue of runs, {path}, is damaged: remove it, and start again; no run is lost with it."
        ) from error


def _postgresql(variable: str, url: str) -> Queue:
    try:
        import psycopg
    except ImportError as error:
        raise _missing("postgres", variable) from error
    options: dict[str, Any] = {"connect_timeout": _PATIENCE, "tcp_user_timeout": _PATIENCE * 1000}
    taken = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable)

    def connect() -> PostgresStorage:
        try:
            return PostgresStorage(_NAME, url, read_timeout=_READ, table_prefix=_NAME + "_queue", **options)
        except taken:  # another process made the tables at the same moment
            return PostgresStorage(_NAME, url, read_timeout=_READ, table_prefix=_NAME + "_queue", **options)

    try:
        return Queue(connect, (psycopg.Error,))
    except psycopg.Error as error:
        raise _refused(variable, error) from error


def _redis(variable: str, url: str) -> Queue:
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise _missing("redis", variable) from error
    options: dict[str, Any] = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE}

    def connect() -> RedisStorage:
        pool = redis.ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), **options)
        return RedisStorage(_NAME, read_timeout=_READ, connection_pool=pool)

    queue = Queue(connect, (redis.RedisError,))
    try:
        queue.storage.queue_size()
    except redis.RedisError as error:
        raise _refused(variable, error) from error
    return queue


def _missing(extra: str, variable: str) -> SettingsError:
    return SettingsError(f"{variable} needs a driver that is not installed: pip install 'bakehouse[{extra}]'.")


def _refused(variable: str, error: Exception) -> SettingsError:
    return SettingsError(f"The server that {variable} names does not take the queue of runs: {_sentence(error)}")


def _sentence(error: Exception) -> str:
    """Return the first line of an error, which names the server, and nothing that is secret."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."

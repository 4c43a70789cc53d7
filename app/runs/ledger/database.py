"""The connection to the ledger: SQLite in the data directory, or PostgreSQL."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from app.runs.ledger import schema

_PATIENCE = 10.0  # seconds that a transaction waits for another process's
_CONNECTIONS = 8  # kept open by a process
_MORE_CONNECTIONS = 32  # beside these, for a while
_READS = "bakehouse_reads"


class LedgerUnavailable(Exception):
    """The ledger cannot be read or written for now. The message holds no password."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The ledger of runs cannot be used for now: {reason}")


class Database:
    """The ledger's database. Threads may share one; a process that was forked needs its own.

    It is connected to, and its tables are made, when it is first used: what works without runs works while it is away.
    """

    def __init__(self, url: str | None, data_dir: Path) -> None:
        """Use the database at a URL, or without one the file `runs.sqlite` of the data directory."""
        path = data_dir / "runs.sqlite"
        self.url: URL = make_url(url) if url else URL.create("sqlite", database=str(path))
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self._lock = threading.Lock()
        self._made: Engine | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether the ledger is a file, which one process at a time writes to."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Yield a connection for one durable transaction that writes; LedgerUnavailable undoes it."""
        with _explained(), self._engine().begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that reads one state of the ledger; LedgerUnavailable if it cannot be read."""
        with _explained(), self._engine().execution_options(**{_READS: True}).begin() as connection:
            yield connection

    def now(self, connection: Connection) -> float:
        """Return the time in seconds since 1970, by the one clock that all who use the ledger share."""
        if self.is_sqlite:  # all are on this machine
            return time.time()
        seconds: float = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8")).scalar_one()
        return seconds

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            if self._made is not None:
                self._made.dispose()

    def _engine(self) -> Engine:
        with self._lock:
            if self._made is None:
                engine = self._connect()
                try:
                    with engine.begin() as connection:
                        schema.prepare(connection)
                    if self.is_sqlite:
                        self._was_made.touch()
                except BaseException:
                    engine.dispose()
                    raise
                self._made = engine
            return self._made

    def _connect(self) -> Engine:
        if not self.is_sqlite:
            milliseconds = int(_PATIENCE * 1000)
            waits = {
                "connect_timeout": int(_PATIENCE),
                "tcp_user_timeout": milliseconds,  # of a server that is gone without a word
                "options": f"-c lock_timeout={milliseconds}",
            }
            return create_engine(
                self.url,
                pool_size=_CONNECTIONS,
                max_overflow=_MORE_CONNECTIONS,
                pool_pre_ping=True,  # a server that was restarted has closed the connections of the pool
                connect_args=waits,
            )
        engine = create_engine(
            self.url,
            pool_size=_CONNECTIONS,
            max_overflow=_MORE_CONNECTIONS,
            creator=self._open_file,
        )
        event.listen(engine, "connect", self._note_file)
        event.listen(engine, "checkout", self._check_file)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _open_file(self) -> sqlite3.Connection:
        """Connect to the file. It is made where it never was: one that is gone was lost, and may be put back."""
        mode = "rw" if self._was_made.exists() else "rwc"
        address = f"file:{quote(str(self._path))}?mode={mode}"
        if self._file() is None and mode == "rw":
            name, made = self._path.name, self._was_made.name
            raise LedgerUnavailable(f"its file {name} is gone: put it back, or remove {made} to begin without runs")
        connection = sqlite3.connect(
            address, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a transaction survives a power loss
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @property
    def _path(self) -> Path:
        return Path(str(self.url.database))

    @property
    def _was_made(self) -> Path:
        """Return the path of an empty file that tells that a ledger was made."""
        return self._path.with_name(f"{self._path.name}-made")

    def _note_file(self, _: Any, record: ConnectionPoolEntry) -> None:
        record.info["file"] = self._file()

    def _check_file(self, _: Any, record: ConnectionPoolEntry, __: Any) -> None:
        """Have the pool connect anew where the file was moved or replaced: others would not see what is written."""
        if record.info["file"] != self._file():
            raise DisconnectionError

    def _file(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _begin_sqlite(connection: Connection) -> None:
    """Begin a transaction. One that writes takes the lock at once: a lock that came later could be refused."""
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise LedgerUnavailable(str(error.orig).partition("\n")[0]) from error
    except ImportError as error:
        raise LedgerUnavailable("its driver is not installed: pip install 'bakehouse[postgres]'") from error
    except schema.LedgerUnknown as error:
        raise LedgerUnavailable(str(error)) from error
    except OSError as error:
        raise LedgerUnavailable(str(error.strerror)) from error
    except PoolTimeout as error:
        raise LedgerUnavailable("all connections are in use") from error

"""What the rest of `storage` knows of a journal, whichever engine keeps it.

A journal holds the commits and tags of one repository that were answered, and that git's own files may not
have yet. A record is durable once `append` returns; a checkpoint puts the records into git's files later,
many at once, and then the journal is empty again.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from storage.journal.records import Record
from storage.location import Location


class Position(Protocol):
    """How far a journal goes. Equal positions mean that nobody has changed the journal."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no record: git's own files have everything."""

    @property
    def is_full(self) -> bool:
        """Whether a checkpoint should come before more is appended."""


class Reading(NamedTuple):
    """The records behind a position, in the order in which they were appended, and the position behind them.

    After a checkpoint the journal has `restarted`: then these are all records that it has, and git's own
    files have all that it had before.
    """

    records: Sequence[Record]
    end: Position
    restarted: bool


class LockedJournal(Protocol):
    """A journal that no other thread or process can change meanwhile."""

    def append(self, after: Position, records: Sequence[Record]) -> Position:
        """Add records behind a position, durably and all at once, and return the position behind them.

        Raises TipMoved where the journal does not end at `after`. Where this fails, the journal has none of
        the records, also after a power loss.
        """

    def checkpointed(self, end: Position) -> Position:
        """Take note, durably, that git's own files have all up to `end`; return the position of no record."""


class Journal(Protocol):
    """The journal of one repository. Threads may share one."""

    @property
    def key(self) -> str:
        """The name under which the bounds of waiting count those who wait for the lock."""

    def head(self) -> Position:
        """Return how far the journal goes now. Each request asks, so this is cheap and waits for nobody."""

    def read(self, after: Position | None) -> Reading:
        """Return the records behind a position, or all of them; this waits for nobody."""

    def lock(self, seconds: float | None = None) -> AbstractContextManager[LockedJournal]:
        """Hold the journal, and with it the repository, against every other thread and process.

        The lock of a process that dies is free again. Raises TimeoutError where somebody else has the lock
        for `seconds`, by default those of this process; RepositoryNotFound where the repository is
        gone.
        """

    def shrink(self) -> None:
        """Give back room on disk that is not needed, unless somebody is writing."""

    def is_gone(self) -> bool:
        """Tell whether somebody removed the repository, or put another in its place, since it was opened.

        This may be up to a second late, since each request asks.
        """


Engine = Callable[[Location], Journal]
"""Opens the journal of a repository; makes one where there is none."""

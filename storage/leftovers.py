"""Checkpoints of what killed processes left in their journals."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from storage.errors import StorageError
from storage.journal import recovery
from storage.journal.checkpointer import PATIENCE_SECONDS
from storage.location import Location
from storage.plumbing.branch import Branch
from storage.plumbing.refs import Refs
from storage.repository import Repository
from storage.shared import Shared

_log = logging.getLogger(__name__)


def checkpoint_all(
    shared: Shared, repositories: Callable[[], Iterable[tuple[str, Location]]], open_: Callable[[str], Repository]
) -> None:
    """Open each repository whose journal has records, and make its checkpoint, in the background."""

    def work() -> None:
        with logged("The journals that killed processes left are not looked for: %s"):
            for name, location in repositories():
                _checkpoint(shared, name, location, open_)

    threading.Thread(target=work, name="leftovers", daemon=True).start()


def _checkpoint(shared: Shared, name: str, location: Location, open_: Callable[[str], Repository]) -> None:
    try:
        with location.explained():
            journal = shared.open_journal(location)
            recovery.recover(Branch(Refs(location)), journal)
            if not journal.head().is_empty:
                open_(name).checkpoint(PATIENCE_SECONDS)
    except StorageError as error:  # requests for the repository get the error, too
        _log.warning("The commits of '%s' stay in its journal for now: %s", name, error)


@contextmanager
def logged(sentence: str) -> Iterator[None]:
    """Log an error of storage, and go on behind the block."""
    try:
        yield
    except StorageError as error:
        _log.warning(sentence, error)

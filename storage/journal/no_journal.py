"""No journal, for a repository that is only read: git's own files have all of it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from storage.errors import StorageUnavailable
from storage.journal.interface import LockedJournal, Position, Reading
from storage.location import Location


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """The one position of a journal that stays empty."""

    is_empty: bool = True
    is_full: bool = False


class NoJournal:
    """The journal of a repository that is only read: see `interface.Journal`. It makes no file."""

    def __init__(self, location: Location, _: object = None) -> None:
        self._location = location

    @property
    def key(self) -> str:
        """The path of the repository, which nobody waits for."""
        return str(self._location.folder)

    def head(self) -> Position:
        """Return the position of no record."""
        return _Nowhere()

    def read(self, _: Position | None) -> Reading:
        """Return no records."""
        return Reading((), _Nowhere(), restarted=False)

    def lock(self, _: float | None = None) -> AbstractContextManager[LockedJournal]:
        """Refuse every change, with StorageUnavailable."""
        raise StorageUnavailable(self._location.name, "it is a clone, which is only read")

    def shrink(self) -> None:
        """Do nothing: there is no file."""

    def is_gone(self) -> bool:
        """Tell that the repository is there for as long as it is open."""
        return False

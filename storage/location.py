"""Where a repository is."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from storage.errors import explained


class Location(NamedTuple):
    """A repository's name, which messages show, and git's folder on disk."""

    name: str
    folder: Path

    def explained(self) -> AbstractContextManager[None]:
        """Raise what the system refuses in the block as an error of storage about this repository."""
        return explained(self.name, self.folder)

"""What the checkpointer keeps of a repository: its location, and no open file."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from storage.journal.checkpointer import Checkpointable, Checkpointer
from storage.location import Location


@dataclass(frozen=True)
class CheckpointTask:
    """A repository whose journal has records; two tasks of one place are equal.

    If nobody has the repository open any more when the task is due, `reopen` opens it once more.
    """

    location: Location
    held: "weakref.ref[Checkpointable]" = field(compare=False)
    reopen: Callable[[], Checkpointable] = field(compare=False)

    @property
    def name(self) -> str:
        """The repository's name, for the log."""
        return self.location.name

    def checkpoint(self, seconds: float) -> None:
        """Make a checkpoint; StorageError if that fails, or somebody else holds the repository so long."""
        (self.held() or self.reopen()).checkpoint(seconds)


class NoCheckpointer(Checkpointer):
    """For a repository that is opened for its checkpoint alone, which nobody has to schedule again."""

    def schedule(self, what: Checkpointable) -> None:
        """Schedule nothing."""

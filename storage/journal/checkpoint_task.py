"""What the checkpointer keeps of a repository: its path and name, and no open file."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from storage.journal.checkpointer import Checkpointable, Checkpointer


@dataclass(frozen=True)
class CheckpointTask:
    """A repository whose journal has records; two tasks of one path are equal.

    If nobody has the repository open any more when the task is due, `reopen` opens it once more.
    """

    path: Path
    name: str = field(compare=False)
    held: "weakref.ref[Checkpointable]" = field(compare=False)
    reopen: Callable[[], Checkpointable] = field(compare=False)

    def checkpoint(self, seconds: float) -> None:
        """Make a checkpoint; StorageError if that fails, or somebody else holds the repository so long."""
        (self.held() or self.reopen()).checkpoint(seconds)


class NoCheckpointer(Checkpointer):
    """For a repository that is opened for its checkpoint alone, which nobody has to schedule again."""

    def schedule(self, what: Checkpointable) -> None:
        """Schedule nothing."""

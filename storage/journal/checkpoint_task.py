"""What the checkpointer has of a repository: which it is, and none of its files."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from storage.journal.checkpointer import Checkpointable, Checkpointer


@dataclass(frozen=True)
class CheckpointTask:
    """A repository that something was committed to; two of one path are the same.

    Where nobody has it open any more when its turn comes, it is opened once more.
    """

    path: Path
    name: str = field(compare=False)
    held: "weakref.ref[Checkpointable]" = field(compare=False)
    reopen: Callable[[], Checkpointable] = field(compare=False)

    def checkpoint(self, seconds: float) -> None:
        """Let git see all that was committed to it; StorageError if that fails, or somebody else holds it."""
        (self.held() or self.reopen()).checkpoint(seconds)


class NoCheckpointer(Checkpointer):
    """For a repository that is opened to be published: nobody has to be told that it should be."""

    def schedule(self, what: Checkpointable) -> None:
        """Take note of nothing."""

"""Why a run cannot start, or fails."""

from collections.abc import Sequence

_MOST_TOLD = 20  # problems


class NotReady(Exception):
    """A run cannot start. `problems` says everything that is missing, a sentence each; the message has the first."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(told(problems)))
        self.problems = problems


def told(problems: Sequence[str]) -> Sequence[str]:
    """Return the first of some problems, and how many more there are."""
    more = len(problems) - _MOST_TOLD
    return [*problems[:_MOST_TOLD], *([f"And {more} more."] if more > 0 else [])]


class BudgetSpent(Exception):
    """A run used as many tokens as the operator allows."""


class RunFailed(Exception):
    """A run cannot go on. `kind` is one word for programs, such as `endpoint`; the message is for people."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Stopped(Exception):
    """The worker was told to stop."""

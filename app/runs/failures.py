"""Why a run cannot start, or fails."""

from collections.abc import Sequence


class NotReady(Exception):
    """A run cannot start. `problems` says everything that is missing, a sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class BudgetSpent(Exception):
    """A run used as many tokens as the operator allows."""


class RunFailed(Exception):
    """A run cannot go on. `kind` is one word for programs, such as `endpoint`; the message is for people."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Stopped(Exception):
    """The worker was told to stop."""

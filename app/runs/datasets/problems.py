"""What is wrong with a data set."""

from app.domain.names import quoted


class Unusable(Exception):
    """Something is wrong with a file; the message is the end of a sentence that begins with the data set's name."""


class DatasetProblem(Exception):
    """A data set cannot be used; the message names it and says what to do."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"Data set {quoted(name)} {problem}")
        self.name = name


def first_line(error: Exception) -> str:
    """Return the first line of what a library says of an error, as a sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{lines[0].rstrip('.')}."

"""What the lines of the log say about the request that they belong to."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class LoggedRequest:
    """A request as the log names it. What is not known yet is None."""

    request_id: str
    user: str | None = None
    token: str | None = None  # its name
    repo: str | None = None  # `<owner>/<repo>`
    address: str | None = None  # of the client


# Each thread has its own, so the threads of the storage have none.
current: ContextVar[LoggedRequest | None] = ContextVar("logged_request", default=None)

"""What an endpoint's answer means: is it worth another try, and what ends if it is not."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

_AGAIN = frozenset((408, 409, 425))
_KEY = frozenset((401, 403))
_OTHER_WAY = frozenset((402, 407))  # an account without money, a proxy that wants a password: all requests would fail
_NO_QUOTA = "insufficient_quota"  # OpenAI's 429 of an account without money, which no waiting helps


class Verdict(Enum):
    """What an answer means for a request."""

    ANSWER = "answer"
    RETRY = "retry"  # another try may succeed
    THROTTLED = "throttled"  # later; this costs no try
    SAMPLE = "sample"  # the sample fails
    RUN = "run"  # every request would fail, so the run does


class Refused(Exception):
    """A request had no answer. `type` is a stable word, `retry_after` is in seconds."""

    def __init__(
        self,
        verdict: Verdict,
        type: str,
        message: str,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.type = type
        self.message = message
        self.status = status
        self.retry_after = retry_after


def of_status(status: int, error: Mapping[str, Any] | None = None) -> tuple[Verdict, str]:
    """Return the verdict of an HTTP status, and the type of the error.

    `error` is the object that the endpoint sent, in the form of OpenAI.
    """
    if status == 429:
        if error and _NO_QUOTA in (error.get("code"), error.get("type")):
            return Verdict.RUN, "quota"
        return Verdict.THROTTLED, "throttled"
    if status in _AGAIN or status < 200 or status >= 500:
        return Verdict.RETRY, "server_error"
    if status < 300:
        return Verdict.ANSWER, "answer"
    if status < 400:
        return Verdict.RUN, "redirect"
    if status in _KEY:
        return Verdict.RUN, "not_allowed"
    if status in _OTHER_WAY:
        return Verdict.RUN, "bad_request"
    return Verdict.SAMPLE, "not_found" if status == 404 else "bad_request"

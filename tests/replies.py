"""What a model's server may answer, well or badly, for the proxy of faults to send."""

import json
from dataclasses import dataclass
from typing import Any, Self

_JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP, which comes after `delay` seconds."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0
    cut: bool = False  # the connection ends after half of the body
    drip: float = 0  # seconds between the bytes of the body
    hang_up: bool = False  # the connection ends without an answer

    @classmethod
    def of(cls, payload: Any, status: int = 200, *headers: tuple[str, str]) -> Self:
        """Return an answer of JSON."""
        return cls(status, json.dumps(payload).encode(), (*_JSON, *headers))


def completion(content: str | None = "Yes.", finish_reason: str = "stop", **message: Any) -> Reply:
    """Return an answer with one choice. `message` are more fields of its message."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": finish_reason,
        "logprobs": None,
    }
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return Reply.of({"id": "c-1", "object": "chat.completion", "model": "fake", "choices": [choice], "usage": usage})


def failure(status: int, message: str = "No.", kind: str = "error", *headers: tuple[str, str]) -> Reply:
    """Return an error in the form of OpenAI."""
    return Reply.of({"error": {"message": message, "type": kind, "code": None}}, status, *headers)


def throttled(retry_after: str | None = None) -> Reply:
    """Return a 429; `retry_after` is a number of seconds, or a date of HTTP."""
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return failure(429, "Rate limit reached.", "rate_limit_exceeded", *headers)


def redirect(address: str, status: int = 307) -> Reply:
    """Return a redirect."""
    return Reply(status, b"", (("Location", address),))


OVERFLOW_MESSAGE = "This model's maximum context length is 1024 tokens."
CALLS = [{"id": "call-1", "type": "function", "function": {"name": "look_up", "arguments": '{"word": "bread"}'}}]

STALL = Reply(delay=3600)
HANG_UP = Reply(hang_up=True)
CUT_BODY = Reply(200, completion().body, _JSON, cut=True)
INVALID_JSON = Reply(200, completion().body[:-9], _JSON)
NO_CHOICES = Reply.of({"id": "c-1", "object": "chat.completion", "choices": []})
TOO_LARGE = Reply(200, completion().body.replace(b": 10}", b": 1e999}"), _JSON)
TOO_DEEP = completion(nested=json.loads("[" * 500 + "]" * 500))
AT_THE_LIMITS = completion(
    "\0 \ud83d", tool_calls=[{"id": "\udf5e", "deep": json.loads("[" * 93 + "]" * 93), "number": 10**4000}]
)
NO_STATUS = Reply.of({"error": {"message": "No.", "code": 10**4000}})
EMPTY = completion("")
REASONING_CONTENT = completion(None, reasoning_content="I think.")
REASONING = completion(None, reasoning="I think.")
TOOL_CALLS = completion(None, "tool_calls", tool_calls=CALLS)
REFUSAL = completion(None, refusal="I must not.")
TRUNCATED = completion("Yes, and", "length")
OVERFLOW = failure(400, OVERFLOW_MESSAGE, "context_length_exceeded")
WRONG_KEY = failure(401, "Incorrect API key provided.", "invalid_api_key")
FORBIDDEN = failure(403, "You may not use this model.", "permission_denied")
NOT_FOUND = failure(404, "The model does not exist.", "model_not_found")
UNPROCESSABLE = failure(422, "temperature must be at most 2.", "invalid_request_error")
BROKEN = failure(500, "Out of memory.", "server_error")
BUSY = failure(503, "Loading model.", "unavailable_error")

"""What the body of an endpoint's answer says."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MOST_LEVELS = 100  # of lists and objects within each other; programs that read rows may fail at more
_TOO_DEEP = f"has more than {_MOST_LEVELS} lists and objects within each other"
_MOST_TOKENS = 2**31 - 1  # of one answer; the sum of four billion answers is a number that the ledger can hold
_MOST_SAID = 500  # characters of an endpoint's message that are passed on
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class InvalidAnswer(Exception):
    """A body is no completion."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer: what a row has of it, and the whole body as it came."""

    response: dict[str, Any]
    body: bytes
    tokens_in: int
    tokens_out: int

    @property
    def is_truncated(self) -> bool:
        """Whether the answer ends where `max_tokens` cut it."""
        return bool(self.response["finish_reason"] == "length")

    @property
    def is_empty(self) -> bool:
        """Whether the answer says nothing: no content, no call of a tool and no refusal."""
        content = self.response["content"]
        said = content.strip() if isinstance(content, str) else content
        return not (said or self.response.get("tool_calls") or self.response.get("refusal"))


def load(body: bytes) -> Any:
    """Parse a body; InvalidAnswer if it is not JSON in UTF-8, the only encoding in which keys are cut out.

    Also if programs that read rows could not hold its values.
    """
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InvalidAnswer("is not JSON in UTF-8") from None
    except RecursionError:
        raise InvalidAnswer(_TOO_DEEP) from None
    except ValueError:  # a whole number of thousands of digits
        raise InvalidAnswer("has a number that is too large") from None
    if text.count("[") + text.count("{") > _MOST_LEVELS and _is_deeper(value, _MOST_LEVELS):
        raise InvalidAnswer(_TOO_DEEP)
    return _without_surrogates(value) if _SURROGATE.search(text) else value


def read(payload: Any, body: bytes) -> Answer:
    """Return the first choice of a completion; InvalidAnswer if there is none."""
    choices = payload.get("choices") if isinstance(payload, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or not isinstance(message := choice.get("message"), dict):
        raise InvalidAnswer("has no choices[0].message")
    usage = payload.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Answer(
        _response(message, choice.get("finish_reason"), counts),
        body,
        _tokens(counts.get("prompt_tokens")),
        _tokens(counts.get("completion_tokens")),
    )


def error_of(payload: Any) -> Mapping[str, Any] | None:
    """Return the error that an endpoint tells in the form of OpenAI, if it does."""
    error = payload.get("error") if isinstance(payload, dict) else None
    return error if isinstance(error, dict) else None


def message_of(payload: Any, body: bytes) -> str:
    """Return what an endpoint says of an error, on one line and not too long."""
    error = error_of(payload) or (payload if isinstance(payload, dict) else {})
    said = next((error[name] for name in ("message", "detail", "error") if error.get(name)), None)
    if said is None:
        said = body.decode(errors="replace")
    text = " ".join(_CONTROL.sub(" ", said if isinstance(said, str) else json.dumps(said)).split())
    return f"{text[:_MOST_SAID]}…" if len(text) > _MOST_SAID else text


def _response(message: dict[str, Any], finish_reason: Any, usage: dict[str, Any]) -> dict[str, Any]:
    role = message.get("role")
    response = {"role": role if isinstance(role, str) else "assistant", "content": message.get("content")}
    for name, value in (
        ("tool_calls", message.get("tool_calls")),
        ("reasoning_content", message.get("reasoning_content") or message.get("reasoning")),
        ("refusal", message.get("refusal")),
    ):
        if value:
            response[name] = value
    return response | {"finish_reason": finish_reason, "usage": usage}


def _tokens(count: Any) -> int:
    return min(count, _MOST_TOKENS) if type(count) is int and count >= 0 else 0


def _refuse(constant: str) -> NoReturn:
    raise InvalidAnswer(f"has {constant}, which is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise InvalidAnswer("has a number that is too large")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Tell whether a value has more levels of lists and objects. A call of its own for each could be too many."""
    level = [value]
    for _ in range(levels):
        lists = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, list | dict)]
        level = [inner for values in lists for inner in values]
    return any(isinstance(one, list | dict) for one in level)


def _without_surrogates(value: Any) -> Any:
    """Return a value in which half a character, which UTF-8 cannot hold, is U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
    return value

"""Rows as conversations: what teacher and student see, and the answers to it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from app.runs.models.answers import Answer

Row = Mapping[str, Any]

_SHORT = 1000  # characters of a prompt in a list
_LONG = 5000  # characters of a question or an answer in a list
_WHOLE = 1024 * 1024  # characters of one text on the page of one row
_FEW = 20  # messages of a prompt in a list
_MANY = 200  # messages of a prompt on the page of one row


@dataclass(frozen=True, slots=True)
class Text:
    """The start of a text, and how many characters are missing behind it."""

    start: str
    rest: int

    @classmethod
    def of(cls, value: Any, most: int) -> "Text | None":
        """Return a text, or other data as JSON; None for null and for an empty text."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        return None if value in (None, "") else cls(text[:most], max(0, len(text) - most))


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: its name, and what it is called with."""

    name: str
    arguments: Text | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a prompt or an answer."""

    role: str
    text: Text | None
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Prompt:
    """The first messages of a prompt, without the question, and how many are missing behind them."""

    messages: Sequence[Message]
    rest: int


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One answer, or why there is none: `error` has `type`, `message` and perhaps `status`."""

    position: int
    number: int
    answer: Message | None
    reasoning: Text | None
    refusal: Text | None
    finish_reason: str | None
    is_truncated: bool
    is_empty: bool
    tokens: tuple[Any, Any]
    seed: Any
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A stimulus with its trajectories; a stim has none. `sent` says whose messages the model gets."""

    position: int
    stimulus: int
    generator: int
    question: Text | None
    teacher: Prompt
    student: Prompt
    sent: str
    tools: Sequence[str]
    trajectories: Sequence[Trajectory]


def of_rows(rows: Iterable[tuple[int, Row]], *, is_whole: bool = False) -> list[Conversation]:
    """Return rows, each with its position, as conversations: those of one stimulus are one."""
    groups = groupby(rows, lambda each: each[1]["stimulus_id"])
    return [_conversation([*group], is_whole) for _, group in groups]


def _conversation(rows: Sequence[tuple[int, Row]], is_whole: bool) -> Conversation:
    position, row = rows[0]
    short, long, most = (_WHOLE, _WHOLE, _MANY) if is_whole else (_SHORT, _LONG, _FEW)
    return Conversation(
        position,
        row["stimulus_id"],
        row["generator"],
        Text.of(row["question"], long),
        _prompt(row["unconditioned_stimulus"]["messages"][:-1], short, most),
        _prompt(row["conditioned_stimulus"]["messages"][:-1], short, most),
        "student" if row.get("trajectory_override_stimulus") else "teacher",
        [_tool_name(tool) for tool in row.get("tools") or []],
        [_trajectory(where, each, long) for where, each in rows if "trajectory_id" in each],
    )


def _prompt(messages: Sequence[Mapping[str, Any]], length: int, most: int) -> Prompt:
    return Prompt([_message(each, length) for each in messages[:most]], max(0, len(messages) - most))


def _trajectory(position: int, row: Row, most: int) -> Trajectory:
    answer = row.get("response")
    said = {} if answer is None else answer
    read = Answer({"content": None, "finish_reason": None, **said}, b"", 0, 0)
    usage = said.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Trajectory(
        position,
        row["trajectory_id"],
        None if answer is None else _message(answer, most),
        Text.of(said.get("reasoning_content"), most),
        Text.of(said.get("refusal"), most),
        said.get("finish_reason"),
        answer is not None and read.is_truncated,
        answer is not None and read.is_empty,
        (counts.get("prompt_tokens"), counts.get("completion_tokens")),
        row.get("seed"),
        row.get("error"),
    )


def _message(message: Mapping[str, Any], most: int) -> Message:
    calls = message.get("tool_calls")
    return Message(
        str(message.get("role") or "assistant"),
        Text.of(message.get("content"), most),
        [*_calls(calls, most)] if isinstance(calls, list) else [],
    )


def _calls(calls: Iterable[Any], most: int) -> Iterator[Call]:
    """Yield calls of tools as endpoints tell them: most as OpenAI does, some otherwise."""
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield Call(str(function.get("name")), Text.of(function.get("arguments"), most))
        else:
            yield Call("a tool", Text.of(call, most))


def _tool_name(tool: Mapping[str, Any]) -> str:
    function = tool.get("function")
    return str(function.get("name")) if isinstance(function, dict) else str(tool.get("type"))

"""The rows of a run in the formats of other programs: CSV, fine-tuning lines, requests of the Batch API.

JSON Lines are in `rows.py`, since the hash of a run is made of them; Parquet is in `parquet.py`, which needs pyarrow.
"""

import json
from collections.abc import Mapping
from typing import Any

from app.domain.csv_text import cell, line

Row = Mapping[str, Any]

# The columns of a table, by kind of run, and whether each holds whole numbers. A dot is for a field within a field.
_STIMULUS = {
    "stimulus_id": True,
    "generator": True,
    "question": False,
    "unconditioned_stimulus": False,
    "conditioned_stimulus": False,
    "trajectory_override_stimulus": False,
    "tools": False,
}
_TRAJECTORY = {
    "trajectory_id": True,
    "model": False,
    "seed": False,  # a config may have any number, or none
    "commit": False,
    "response.role": False,
    "response.content": False,
    "response.reasoning_content": False,
    "response.refusal": False,
    "response.tool_calls": False,
    "response.finish_reason": False,
    "response.usage": False,
    "error.type": False,
    "error.message": False,
    "error.status": True,
}
COLUMNS: Mapping[str, Mapping[str, bool]] = {"stim": _STIMULUS, "rollout": {**_STIMULUS, **_TRAJECTORY}}
BODY = "body"  # the endpoint's whole answer, where it is asked for

_OF_AN_ANSWER = ("role", "content", "tool_calls", "refusal")  # that a line for fine-tuning may have
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def values(row: Row, columns: Mapping[str, bool]) -> list[str | int | None]:
    """Return the values of a row's columns: whole numbers in columns of numbers, else text or JSON, or None."""
    return [_within(row, name) if is_number else _text(_within(row, name)) for name, is_number in columns.items()]


def csv_head(columns: Mapping[str, bool]) -> bytes:
    """Return the line of a CSV file that names its columns."""
    return line(list(columns)) + b"\r\n"


def csv_line(row: Row, columns: Mapping[str, bool]) -> bytes:
    """Return a row as a line of a CSV file. A cell without a value is empty."""
    found = (_within(row, name) for name in columns)
    return line(["" if value is None else cell(value) for value in found]) + b"\r\n"


def fine_tuning(row: Row) -> dict[str, Any] | None:
    """Return a trajectory as a line for fine-tuning: what the student sees, and the answer.

    None where there is no answer, or an empty one. Reasoning has no place in the format.
    """
    answer = row.get("response") or {}
    content = answer.get("content")
    if not (content.strip() if isinstance(content, str) else content) and not answer.get("tool_calls"):
        return None
    said = {name: answer[name] for name in _OF_AN_ANSWER if answer.get(name) is not None}
    tools = {"tools": row["tools"]} if row.get("tools") else {}
    return {"messages": [*row["conditioned_stimulus"]["messages"], said], **tools}


def batch_request(stimulus: int, trajectory: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of a trajectory as a line for the Batch API. The `custom_id` names the trajectory."""
    return {
        "custom_id": f"{stimulus}-{trajectory}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }


def json_line(value: Any) -> bytes:
    """Return a value as a line of JSON."""
    return f"{_encode(value)}\n".encode()


def _within(row: Row, name: str) -> Any:
    found: Any = row
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _encode(value)

"""Rows as users read them: put together from what a run has in common and what is particular to a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import canonical_json

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What all rows of a run have in common: the messages of both prompts, and the tools.

    `conditioned` has the indexes of the generators whose questions are rolled out with the student prompt.
    """

    teacher: Sequence[Message]
    student: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] | None
    conditioned: Sequence[int]

    def to_json(self) -> dict[str, Any]:
        """Return the context as JSON values."""
        return {
            "teacher": list(self.teacher),
            "student": list(self.student),
            "tools": self.tools,
            "conditioned": list(self.conditioned),
        }

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> "Context":
        """Return the context that `to_json` returned as JSON values."""
        return cls(found["teacher"], found["student"], found["tools"], found["conditioned"])


def stim_row(context: Context, stimulus_id: int, generator: int, question: str) -> dict[str, Any]:
    """Return the row of a stimulus: a question as the teacher and as the student would see it."""
    asked = {"role": "user", "content": question}
    teacher, student = {"messages": [*context.teacher, asked]}, {"messages": [*context.student, asked]}
    return {
        "stimulus_id": stimulus_id,
        "question": question,
        "generator": generator,
        "unconditioned_stimulus": teacher,
        "conditioned_stimulus": student,
        **({"trajectory_override_stimulus": student} if generator in context.conditioned else {}),
        **({"tools": context.tools} if context.tools else {}),
    }


def sent_messages(stim: Mapping[str, Any]) -> list[Message]:
    """Return the messages of a stimulus that a rollout sends to the model."""
    sent = stim.get("trajectory_override_stimulus") or stim["unconditioned_stimulus"]
    messages: list[Message] = sent["messages"]
    return messages


def rollout_row(
    stim: Mapping[str, Any], trajectory_id: int, recorded: Mapping[str, Any], model: str, commit: str
) -> dict[str, Any]:
    """Return the row of an answer. `recorded` is `response`, `seed`, and `error` where there is no answer."""
    return {**stim, "trajectory_id": trajectory_id, "model": model, **recorded, "commit": commit}


def line(row: Mapping[str, Any]) -> bytes:
    """Return a row as a line of canonical JSON Lines."""
    return canonical_json.dump(row) + b"\n"

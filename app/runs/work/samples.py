"""One sample of a rollout: what is sent for it, and what is recorded of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import canonical_json
from app.runs.ledger.rows import Row
from app.runs.models import requests
from app.runs.models.answers import Answer
from app.runs.models.verdicts import Refused
from app.runs.recipe import rows, sampling


@dataclass(frozen=True, slots=True)
class Sample:
    """A trajectory of a stimulus. `stim` is the stimulus's row, `seed` None where the request tells no seed of ours."""

    stim: Mapping[str, Any]
    trajectory: int
    key: str
    seed: int | None

    @property
    def idempotency_key(self) -> str:
        """Return what a repeated request has in common with the first."""
        return sampling.idempotency_key(self.key, self.stim["stimulus_id"], self.trajectory)

    def body(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the request for the endpoint."""
        messages, tools = rows.sent_messages(self.stim), self.stim.get("tools")
        return requests.body(messages, tools, config["model_name"], config, self.seed)

    def answered(self, answer: Answer, body: Mapping[str, Any]) -> Row:
        """Return the row of an answer to a request."""
        return self._row({"response": answer.response, "seed": body.get("seed")}, answer.body)

    def refused(self, error: Refused, body: Mapping[str, Any]) -> Row:
        """Return the row of a sample that failed for good."""
        told = {"type": error.type, "message": error.message}
        status = {} if error.status is None else {"status": error.status}
        return self._row({"response": None, "error": told | status, "seed": body.get("seed")}, None, is_failed=True)

    def _row(self, recorded: Mapping[str, Any], body: bytes | None, *, is_failed: bool = False) -> Row:
        text = canonical_json.dump(recorded).decode()
        return Row(self.stim["stimulus_id"], self.trajectory, text, body, is_failed)

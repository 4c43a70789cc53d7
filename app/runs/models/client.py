"""One request to an endpoint."""

import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from app.runs.models.endpoints import Endpoint
from app.runs.models.verdicts import Refused, Verdict, of_status


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its parts for the row, and its body as it came."""

    response: dict[str, Any]
    body: bytes
    tokens_in: int
    tokens_out: int
    is_truncated: bool
    is_empty: bool


class ModelClient:
    """The connections to an endpoint."""

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.AsyncClient(headers=headers, timeout=endpoint.timeout)
        self._url = endpoint.base_url.rstrip("/") + "/chat/completions"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, body: dict[str, Any], idempotency_key: str) -> Answer:
        """Return the answer to a request, or raise Refused."""
        try:
            got = await self._client.post(self._url, json=body, headers={"Idempotency-Key": idempotency_key})
        except httpx2.HTTPError as error:
            raise Refused(Verdict.RETRY, "connection", str(error)) from error
        verdict, kind = of_status(got.status_code)
        if verdict is not Verdict.ANSWER:
            raise Refused(verdict, kind, got.text[:200], got.status_code)
        found = json.loads(got.content)
        choice = found["choices"][0]
        response = {**choice["message"], "finish_reason": choice["finish_reason"], "usage": found.get("usage")}
        usage = found.get("usage") or {}
        return Answer(
            response,
            got.content,
            usage.get("prompt_tokens", 0),
            usage.get("completion_tokens", 0),
            choice["finish_reason"] == "length",
            not choice["message"].get("content"),
        )

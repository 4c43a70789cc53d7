"""One request to an endpoint, and what came of it."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx2

from app.runs.models import answers
from app.runs.models.answers import Answer, InvalidAnswer
from app.runs.models.connections import Connections
from app.runs.models.endpoints import Endpoint
from app.runs.models.secrets import Redactor
from app.runs.models.verdicts import Refused, Verdict, of_status

_MOST_BYTES = 16 * 1024 * 1024  # of an answer
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "bakehouse",
}


class ModelClient:
    """Sends requests to an endpoint. No redirect is followed, and each certificate is checked.

    What it returns and raises never holds the key, whatever the endpoint says.
    """

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        self._endpoint = endpoint
        self._redactor = Redactor(key)
        self._url = httpx2.URL(f"{endpoint.base_url}/chat/completions")
        self._headers = _HEADERS | ({"Authorization": f"Bearer {key}"} if key else {})
        self._connections = Connections(endpoint.base_url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.close()

    async def send(self, body: Mapping[str, Any], idempotency_key: str) -> Answer:
        """Ask for a completion; Refused says what the endpoint's answer, or the lack of one, means."""
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        headers = self._headers | {"Idempotency-Key": idempotency_key}
        response, answer = await self._timed(httpx2.Request("POST", self._url, headers=headers, content=data))
        return self._read(response, answer)

    async def models(self) -> list[str]:
        """Return the models that the endpoint lists; Refused as for `send`."""
        request = httpx2.Request("GET", f"{self._endpoint.base_url}/models", headers=self._headers)
        response, body = await self._timed(request)
        payload = self._payload(response, body)
        listed = payload.get("data") if isinstance(payload, dict) else None
        found = [one.get("id") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return [model for model in found if isinstance(model, str)]

    async def _timed(self, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        """Return an answer and its body; Refused if there is none within the endpoint's time."""
        try:
            async with asyncio.timeout(self._endpoint.timeout), self._connections.send(request) as response:
                return response, self._redactor.data(await self._body(response))
        except TimeoutError:
            text = f"gave no answer within {self._endpoint.timeout:g} seconds"
            raise self._refused(Verdict.RETRY, "timeout", text) from None
        except httpx2.RequestError as error:
            raise self._lost(error) from None

    async def _body(self, response: httpx2.Response) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES:
                raise self._refused(Verdict.SAMPLE, "too_large", f"sent more than {_MOST_BYTES} bytes")
        return b"".join(parts)

    def _read(self, response: httpx2.Response, body: bytes) -> Answer:
        payload = self._payload(response, body)
        try:
            return answers.read(payload, body)
        except InvalidAnswer as error:
            raise self._invalid(response, error) from None

    def _payload(self, response: httpx2.Response, body: bytes) -> Any:
        """Return the JSON of an answer; Refused unless its status is one of success."""
        try:
            payload = answers.load(body)
        except InvalidAnswer as error:
            if response.is_success:
                raise self._invalid(response, error) from None
            payload = None
        error_sent = answers.error_of(payload)
        status = response.status_code
        if response.is_success and error_sent and type(code := error_sent.get("code")) is int and 400 <= code < 600:
            status = code  # some endpoints that ask others answer 200, and tell the failure in the body
        verdict, kind = of_status(status, error_sent)
        if verdict is Verdict.ANSWER:
            return payload
        if kind == "redirect":
            text = f"answered {status}, and no redirect is followed: base_url must be the address it leads to"
        else:
            text = f"answered {status}: {answers.message_of(payload, body)}"
        raise self._refused(verdict, kind, text, status, retry_after(response.headers.get("Retry-After")))

    def _invalid(self, response: httpx2.Response, error: InvalidAnswer) -> Refused:
        text = f"answered {response.status_code} with a body that {error}"
        return self._refused(Verdict.RETRY, "invalid_answer", text, response.status_code)

    def _lost(self, error: httpx2.RequestError) -> Refused:
        if certificate := _certificate_error(error):
            return self._refused(
                Verdict.RUN, "certificate", f"has a wrong certificate: {certificate.verify_message or 'not trusted'}"
            )
        is_cut = isinstance(error, httpx2.RemoteProtocolError | httpx2.DecodingError | httpx2.ReadError)
        text = "broke off its answer" if is_cut else "cannot be reached"
        return self._refused(Verdict.RETRY, "connection", f"{text}: {str(error) or type(error).__name__}")

    def _refused(
        self, verdict: Verdict, kind: str, text: str, status: int | None = None, wait: float | None = None
    ) -> Refused:
        message = self._redactor.text(f"Endpoint '{self._endpoint.name}' {text}")
        return Refused(verdict, kind, f"{message.rstrip('.')}.", status, wait)


def retry_after(header: str | None, now: float | None = None) -> float | None:
    """Return the seconds that a header `Retry-After` asks to wait, which has seconds or a date; None if it has none."""
    if header is None:
        return None
    text = header.strip()
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    then = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    return max(0.0, then - (time.time() if now is None else now))


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause

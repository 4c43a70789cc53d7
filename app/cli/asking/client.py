"""Requests to one repo of a server, or of a clone, and what a person is told where they fail."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx2
from click import UsageError

from app.cli.asking.errors import NoAnswer, Refused
from app.cli.asking.visible import visible
from storage.repository import Repository

_MOST_REDIRECTS = 5
_PATIENCE = 120  # seconds to wait in all for a server that answers 429, which does nothing then
_SECONDS = re.compile("[0-9]{1,6}")
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Set BAKEHOUSE_TOKEN to a token of yours.",
    HTTPStatus.TOO_MANY_REQUESTS: "Try again later.",
}
# What a command meets in an answer that is JSON, and not what Bakehouse answers.
_SURPRISES = (LookupError, TypeError, ValueError, AttributeError, RecursionError, httpx2.InvalidURL)

Query = dict[str, str | int | bool | None]
Answer = dict[str, Any]


class Client:
    """Requests for one repo. `http` knows the address, the caller and the owner of the repo.

    `clone` is the clone that is asked, and None where a server is asked.
    """

    def __init__(self, http: httpx2.Client, repo_name: str, clone: Repository | None = None) -> None:
        self._http = http
        self._start = f"/v1/repo/{quote(repo_name, safe='')}"
        self.clone = clone
        self._latest: httpx2.Response | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Close the connection; NoAnswer where a server's latest answer does not have what Bakehouse's has."""
        self._http.close()
        if isinstance(error, _SURPRISES) and self._latest is not None and self.clone is None:
            raise _not_bakehouse(self._latest) from error

    def get(self, *path: str, **query: str | int | bool | None) -> Answer:
        """Return what a GET is answered. Refused or NoAnswer if there is no answer."""
        return _object(self._send("GET", path, query, {}))

    def text(self, media_type: str, *path: str, **query: str | int | bool | None) -> tuple[bytes, str | None]:
        """Return what a GET is answered as text of a media type, and the cursor of the next page if there is one."""
        response = self._send("GET", path, query, {"Accept": media_type})
        following = response.links.get("next", {}).get("url")
        return response.content, httpx2.URL(following).params.get("cursor") if following else None

    @contextmanager
    def download(
        self, media_type: str, *path: str, **query: str | int | bool | None
    ) -> Iterator[tuple[Mapping[str, str], Iterator[bytes]]]:
        """Yield the headers of what a GET is answered, and its content in pieces, as they come.

        NoAnswer where the answer ends too early.
        """
        response = self._send("GET", path, query, {"Accept": media_type}, stream=True)
        try:
            yield response.headers, response.iter_bytes()
        except httpx2.HTTPError as error:
            raise NoAnswer(f"The answer of {_host(response.request)} was cut: {visible(str(error))}") from error
        finally:
            response.close()

    def write(
        self, method: str, *path: str, body: Answer | None = None, reason: str | None = None
    ) -> tuple[Answer, str]:
        """Return what a write is answered, and the id of the commit, whose message begins with the reason."""
        if self.clone is not None:
            raise UsageError("A clone is only read. Set BAKEHOUSE_URL and BAKEHOUSE_TOKEN to write to the server.")
        headers = {} if reason is None else {"X-Change-Reason": f"UTF-8''{quote(reason, safe='')}"}
        response = self._send(method, path, {}, headers, body)
        return _object(response), response.headers.get("Git-Commit", "")

    def _send(
        self,
        method: str,
        path: tuple[str, ...],
        query: Query,
        headers: dict[str, str],
        body: Answer | None = None,
        *,
        stream: bool = False,
    ) -> httpx2.Response:
        address = "/".join([self._start, *(quote(part, safe="") for part in path)])
        given = {name: str(value).lower() if value is True else str(value) for name, value in query.items() if value}
        try:
            request = self._http.build_request(method, address, params=given, headers=headers, json=body)
        except httpx2.InvalidURL as error:
            raise UsageError(f"An argument cannot be sent: {visible(str(error))}.") from error
        try:
            response = self._follow(request, stream=stream)
        except httpx2.TimeoutException as error:
            raise NoAnswer(f"{_host(request)} takes too long to answer. Try again later.") from error
        except httpx2.TransportError as error:
            raise NoAnswer(f"There is no server at {_host(request)}: {visible(str(error))}") from error
        except httpx2.HTTPError as error:
            raise NoAnswer(f"The answer of {_host(request)} cannot be read: {visible(str(error))}") from error
        self._latest = response
        if not response.is_success:
            raise _failure(response)
        return response

    def _follow(self, request: httpx2.Request, *, stream: bool) -> httpx2.Response:
        """Send a request, and go on where a repo has another name now, but never to another server."""
        for _ in range(_MOST_REDIRECTS):
            response = self._wait_for(request, stream=stream)
            following = response.next_request
            if following is None:
                return response
            if request.method != "GET" or _origin(following) != _origin(request):
                place = visible(str(following.url.copy_with(query=None, fragment=None)))
                raise NoAnswer(f"{_host(request)} sends this request on to {place}, where nothing is sent.")
            request = following
        raise NoAnswer(f"{_host(request)} sends this request in a circle.")

    def _wait_for(self, request: httpx2.Request, *, stream: bool) -> httpx2.Response:
        """Send a request, and once more where the server asks to wait, as long as that is not too long."""
        patience = _PATIENCE
        while True:
            response = self._http.send(request, follow_redirects=False, stream=stream)
            if not response.is_success:
                response.read()
            seconds = response.headers.get("Retry-After", "")
            if response.status_code != HTTPStatus.TOO_MANY_REQUESTS or not _SECONDS.fullmatch(seconds):
                return response
            patience -= max(1, int(seconds))
            if patience < 0:
                return response
            time.sleep(max(1, int(seconds)))


def _origin(request: httpx2.Request) -> tuple[str, str, int | None]:
    return request.url.scheme, request.url.host, request.url.port


def _host(request: httpx2.Request) -> str:
    scheme, host, port = _origin(request)
    return visible(f"{scheme}://{host}" + (f":{port}" if port else ""))


def _parse(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise _not_bakehouse(response) from error


def _object(response: httpx2.Response) -> Answer:
    found = _parse(response)
    if not isinstance(found, dict):
        raise _not_bakehouse(response)
    return found


def _not_bakehouse(response: httpx2.Response) -> NoAnswer:
    return NoAnswer(
        f"{_host(response.request)} answers with status {response.status_code}, and not as Bakehouse does. "
        "Look whether BAKEHOUSE_URL is the address of the server, such as https://bakehouse.example.org."
    )


def _failure(response: httpx2.Response) -> Refused | NoAnswer:
    """Return what a person is told of an answer that is an error."""
    said = _parse(response)
    try:
        sentences = [said["message"]] if "message" in said else [_mistake(each) for each in said["detail"]]
    except (KeyError, TypeError):
        return _not_bakehouse(response)
    hint = _HINTS.get(response.status_code)
    message = "\n".join([*map(visible, sentences), *([hint] if hint else [])])
    return NoAnswer(message) if response.is_server_error else Refused(message)


def _mistake(mistake: Answer) -> str:
    """Return one mistake in a request: where, and what to do."""
    _, *place = mistake["loc"]
    where = ".".join(map(str, place))
    return f"{where}: {mistake['msg']}" if where else str(mistake["msg"])

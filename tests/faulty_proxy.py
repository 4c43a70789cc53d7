"""A proxy in front of a model's server, or in place of one, that fails as it is told and counts what it sees.

with FaultyProxy() as proxy:            # answers by itself, at once
    proxy.replies(THROTTLED, STALL)     # to the next two requests
    ...
    assert len(proxy.seen) == 3 and proxy.most_at_once == 1

with FaultyProxy(upstream=model_url) as proxy: ...  # passes on what it is not told to answer
"""

import asyncio
import http.client
import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import pytest

from tests.replies import Reply, completion

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive", "host"}


@dataclass(frozen=True)
class Seen:
    """A request that the proxy saw: when (`time.monotonic`), and what it asked for."""

    at: float
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    data: bytes

    @property
    def body(self) -> Any:
        """Return the JSON of the request."""
        return json.loads(self.data)


Rule = Callable[[Seen], Reply | None]


@dataclass
class FaultyProxy:
    """A server on 127.0.0.1, in a thread of its own, for as long as the context lasts.

    `rule` says how a request is answered; None, and no rule: by `upstream`, or by the proxy itself after `delay`
    seconds. Replies that were set by `replies` come first.
    """

    upstream: str | None = None  # the base URL of a server
    rule: Rule | None = None
    delay: float = 0
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    most_at_once: int = 0
    connections: int = 0  # that clients made
    port: int = 0  # any free one; a proxy that starts again may take its old one
    _out: int = 0
    _replies: list[Reply | None] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @property
    def url(self) -> str:
        """Return the base URL for clients."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v1"

    def replies(self, *replies: Reply | None) -> None:
        """Answer the next requests so, in this order; None lets one pass."""
        self._replies.extend(replies)

    def bodies(self) -> list[Any]:
        """Return the bodies of the completions that were asked for."""
        return [seen.body for seen in self.seen if seen.path.endswith("/chat/completions")]

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._stopped = asyncio.Event()
        self._client = httpx2.AsyncClient(timeout=None, limits=httpx2.Limits(max_connections=None))
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, ssl=self.tls, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stopped.wait()
        server.close()
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await self._client.aclose()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (seen := await _read(reader)) is not None:
                self.seen.append(seen)
                self._out += 1
                self.most_at_once = max(self.most_at_once, self._out)
                try:
                    reply = await self._reply(seen, reader)
                finally:
                    self._out -= 1
                if reply is None or not await _send(writer, reply):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):  # the client went away
            pass
        finally:
            writer.close()

    async def _reply(self, seen: Seen, reader: asyncio.StreamReader) -> Reply | None:
        """Return how a request is answered; None if its client went away meanwhile."""
        reply = self._replies.pop(0) if self._replies else self.rule(seen) if self.rule else None
        if reply is None and self.upstream is None:
            reply = replace(_own(seen), delay=self.delay)
        if reply is not None and not reply.delay:
            return reply
        work = asyncio.ensure_future(self._pass_on(seen) if reply is None else asyncio.sleep(reply.delay, reply))
        gone = asyncio.ensure_future(reader.read(1))  # clients send nothing before they are answered
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else None
        finally:
            work.cancel()
            gone.cancel()
            await asyncio.wait((work, gone))

    async def _pass_on(self, seen: Seen) -> Reply:
        answer = await self._client.request(
            seen.method,
            self.upstream + seen.path.removeprefix("/v1"),
            content=seen.data,
            headers={name: value for name, value in seen.headers.items() if name not in _HOP_BY_HOP},
        )
        headers = tuple((name, value) for name, value in answer.headers.items() if name not in _HOP_BY_HOP)
        return Reply(answer.status_code, answer.content, headers)


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    """Read a request; None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    at = time.monotonic()
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Seen(at, method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Send an answer; False if the connection ends with it."""
    if reply.hang_up:
        return False
    lines = [f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines.append(f"Content-Length: {len(reply.body)}")
    body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    parts = [head, *(body[at : at + 1] for at in range(len(body)))] if reply.drip else [head + body]
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(reply.drip)
    return not reply.cut


def _own(seen: Seen) -> Reply:
    if seen.path.endswith("/models"):
        return Reply.of({"object": "list", "data": [{"id": "fake", "object": "model"}]})
    return completion(f"An answer to: {seen.body['messages'][-1]['content']}")


def certificate(folder: Path, name: str = "127.0.0.1", options: Iterable[str] = ("-days", "2")) -> ssl.SSLContext:
    """Return a context with a certificate for `name`, which is in `<folder>/cert.pem`, signed by nobody else."""
    kind = "IP" if name[0].isdigit() else "DNS"
    files = ("-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    about = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}", *options)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *map(str, files), *about]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context

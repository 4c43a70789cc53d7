"""An endpoint that answers every completion at once with the same bytes, in a process of its own.

`python -m tests.benchmarks.endpoint` serves on a free port of 127.0.0.1, and prints its base URL.
"""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

MODEL = "gpt-4o-mini"  # a name that the other programs know the tokens and prices of
CONTENT = "Bread rises because yeast eats sugar and breathes out gas, which the dough holds. " * 4

BODY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": CONTENT},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 40, "completion_tokens": 80, "total_tokens": 120},
    }
).encode()
_LENGTH = b"content-length:"


def _answer(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_COMPLETION = _answer(BODY)


class _Connection(asyncio.Protocol):
    """A connection that stays open. A GET is answered with the time of the first completion since the last GET."""

    first = 0.0  # by `time.monotonic`, which all processes share; of all connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            end += 4 + _length(self._received[:end])
            if len(self._received) < end:
                return
            is_get, self._received = self._received.startswith(b"GET"), self._received[end:]
            self._transport.write(_answer(self._first()) if is_get else self._complete())

    @staticmethod
    def _complete() -> bytes:
        _Connection.first = _Connection.first or time.monotonic()
        return _COMPLETION

    @staticmethod
    def _first() -> bytes:
        first, _Connection.first = _Connection.first, 0.0
        return json.dumps(first).encode()


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(_LENGTH)
    return int(rest.partition(b"\r")[0] or 0)


@contextmanager
def running() -> Iterator[str]:
    """Start the endpoint, yield its base URL, and stop it at the end."""
    command = [sys.executable, "-m", "tests.benchmarks.endpoint"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def first_request(url: str) -> float:
    """Return when a completion was first asked for since this was last called, by `time.monotonic`; 0 if none was."""
    with urllib.request.urlopen(url) as answer:
        return float(answer.read())


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())

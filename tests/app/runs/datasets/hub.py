"""What the Hugging Face hub answers for one small data set, as far as `datasets` asks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_REPO = "acme/questions"
_DATA = b'{"id": 1, "question": "Who?"}\n{"id": 2, "question": "Why?"}\n'
_BLOB = sha1(b"blob %d\0%b" % (len(_DATA), _DATA)).hexdigest()


def _json(path: str) -> object:
    """Return what the API tells of the data set, or None."""
    if path == f"/api/datasets/{_REPO}/revision/{COMMIT}":
        names = {"siblings": [{"rfilename": "data.jsonl"}], "tags": []}
        return {"_id": "1", "id": _REPO, "sha": COMMIT, "private": False, "disabled": False, "gated": False, **names}
    if path == f"/api/datasets/{_REPO}/tree/{COMMIT}":
        return [{"type": "file", "oid": _BLOB, "size": len(_DATA), "path": "data.jsonl"}]
    return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        told = _json(path)
        is_data = path == f"/datasets/{_REPO}/resolve/{COMMIT}/data.jsonl"
        body = _DATA if is_data else b"" if told is None else json.dumps(told).encode()
        self.send_response(200 if body else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{_BLOB}"')
        if not body:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 — as the base class has it

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running() -> Iterator[str]:
    """Run the hub, and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

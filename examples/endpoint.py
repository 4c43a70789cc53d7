#!/usr/bin/env python3
"""Serve the API of OpenAI without a model: each question is repeated at once, and each word counts as a token.

It is for trials of runs. It listens on a free port, and prints its entry for the file of endpoints:

    python3 examples/endpoint.py > instance/endpoints.yml

It needs Python alone.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "parrot"


class Handler(BaseHTTPRequestHandler):
    """Answers requests for completions, and for the list of models."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer a question."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = request["messages"]
        words = f"You said: {messages[-1]['content']}".split()
        said = words[: request.get("max_tokens", len(words))]
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": " ".join(said)},
            "finish_reason": "stop" if said == words else "length",
        }
        asked = sum(len(str(message["content"]).split()) for message in messages)
        counts = {"prompt_tokens": asked, "completion_tokens": len(said)}
        usage = counts | {"total_tokens": sum(counts.values())}
        self.answer({"object": "chat.completion", "model": request["model"], "choices": [choice], "usage": usage})

    def do_GET(self) -> None:
        """List the models."""
        self.answer({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def answer(self, payload: Any) -> None:
        """Send JSON."""
        body = json.dumps(payload).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Log nothing."""


def main() -> None:
    """Listen, print the entry, and serve until the process is stopped."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}/v1"
    print(f"- name: {MODEL}\n  base_url: {address}\n  models: ['*']", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

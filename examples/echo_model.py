#!/usr/bin/env python3
"""Answer each chat completion with the message that came last, so that runs can be tried without a model.

    .venv/bin/python examples/echo_model.py instance/endpoints.yml &

The script writes the list of endpoints, with itself as the one that serves every model, and goes on until it is killed.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Echo(BaseHTTPRequestHandler):
    """An endpoint as OpenAI has it. Each word counts as a token."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer a chat completion."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = f"You said: {asked['messages'][-1]['content']}"
        words = sum(len(str(message["content"]).split()) for message in asked["messages"])
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": words, "completion_tokens": len(text.split())}
        answer = {"object": "chat.completion", "model": asked["model"], "choices": [choice], "usage": usage}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main(path: str) -> None:
    """Serve on a free port, and write the list of endpoints."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    entry = {"name": "echo", "base_url": f"http://127.0.0.1:{server.server_port}/v1", "models": ["*"]}
    Path(path).write_text(json.dumps([entry]))  # which is YAML, too
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A server with views that a test needs, and Bakehouse has not: `python -m tests.e2e.views`."""

import sys
import time
from collections.abc import Iterator

from flask import Flask, Response, request

from app import create_app
from app.cli.serving import run
from app.settings import Settings

COMMAND = [sys.executable, "-m", "tests.e2e.views"]
LARGE = 32 * 1024 * 1024  # bytes, more than the system keeps for a connection


def create(settings: Settings) -> Flask:
    """Return the application with the views."""
    app = create_app(settings)

    @app.get("/fails")
    def fails() -> Response:
        raise RuntimeError("the cause\nof the failure\x1b[2J")

    @app.get("/fails-later")
    def fails_later() -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"begun"
            raise RuntimeError("the later cause")

        return Response(pieces())

    @app.get("/large")
    def large() -> Response:
        return Response(bytes(LARGE))

    @app.get("/takes-a-second")
    def takes_a_second() -> Response:
        time.sleep(1)
        return Response("done")

    @app.post("/length")
    def length() -> Response:
        return Response(str(len(request.get_data())))

    return app


if __name__ == "__main__":
    run(create)

"""Somebody with a browser that has cookies and no scripts."""

import html
import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """Requests of one browser. Forms are sent with the token that the server gave."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, **fields: Any) -> TestResponse:
        """Send a form, as the page that has it would; `csrf_token` is that of another page unless it is given."""
        given = {name: value for name, value in fields.items() if value is not None}
        return self.client.post(path, data={"csrf_token": self.token(), **given})

    def token(self) -> str:
        """Return the token against forged forms that this browser has."""
        return self.token_in(self.get("/").text)

    @staticmethod
    def token_in(page: str) -> str:
        """Return the token against forged forms that a page has."""
        found = _TOKEN.search(page)
        assert found, "no page has a form"
        return html.unescape(found[1])

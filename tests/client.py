"""Requests to an application in memory, and what is expected of its errors."""

import json
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse


class Client:
    """Requests with one token."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self.app = app
        self.token = token

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request; `body` as JSON, or as it is if it is bytes. `if_match` is `If-Match`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.app.test_client().open(path, method=method, data=body, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.request("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.request("DELETE", path, **headers)


def assert_error(response: TestResponse, status: int, code: str, *mentions: str) -> None:
    """Expect an error of the contract whose message names what it speaks of."""
    assert (response.status_code, response.json.get("code")) == (status, code), response.text
    assert response.json.keys() == {"message", "code"}
    for mention in mentions:
        assert mention in response.json["message"]


def assert_mistakes(response: TestResponse, *mistakes: tuple[list[str | int], str]) -> None:
    """Expect a 422 with these mistakes and no others, as (loc, type), in any order."""
    assert response.status_code == 422, response.text
    found = [(entry["loc"], entry["type"]) for entry in response.json["detail"]]
    assert sorted(found, key=str) == sorted(mistakes, key=str)
    assert all(entry["msg"] for entry in response.json["detail"])

"""What tests of attacks share: a repo worth attacking, those who attack it, and what they must not change."""

import re
from collections.abc import Iterator

from flask import Flask
from werkzeug.test import TestResponse

from app.domain.names import DEFAULT_TEMPLATE
from tests import page_routes
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made

_STATE = ("repo", "deleted", "tokens", *(f"repo/demo/{each}" for each in ("log", "labels", "tags", "grants", "runs")))
# What forms need to do something.
_FIELDS = {
    "name": "new",
    "access": "write",
    "user_id": "carol",
    "grant-user_id": "carol",
    "grant-access": "write",
    "rename-name": "renamed",
    "delete-name": "demo",
    "to": "v1",
    "label": "production",
    "ref": "v1",
    "reason": "An attack",
}
_FORM = re.compile(r"<form\b[^>]*>", re.IGNORECASE)


def fill(alice: Client) -> None:
    """Put into alice's repo what the names in the addresses of pages stand for."""
    names = page_routes.NAMES
    prompt = {"messages": [{"role": "system", "content": "You bake bread."}]}
    generators = [{"type": "custom", "template_path": names["file_name"], "template_content": "Ask.", "numq": 1}]
    for path, body in (
        (f"prompts/{names['prompt_name']}", prompt),
        (f"targets/{names['target_name']}", made(DEFAULT_TEMPLATE, temperature=0.5, generators=generators)),
    ):
        assert alice.put(f"/v1/repo/demo/{path}", body).status_code == 200
    assert alice.post("/v1/repo/demo/tags", {"name": names["tag_name"]}).status_code == 201
    assert alice.put(f"/v1/repo/demo/labels/{names['label_name']}", {"ref": names["tag_name"]}).status_code == 200


def state(alice: Client, master: Client) -> list[str]:
    """Return all that a form could change: repos, commits, labels, grants, runs, tokens, users."""
    return [*(alice.get(f"/v1/{path}").text for path in _STATE), master.get("/v1/admin/users").text]


def posts(app: Flask, *but: str) -> Iterator[str]:
    """Yield the address of each form of pages but those of some endpoints."""
    for rule in page_routes.rules(app, "POST"):
        if rule.endpoint not in but:
            yield page_routes.address(rule, page_routes.NAMES)


def forms(page: TestResponse) -> list[str]:
    """Return the forms of a page that change something."""
    text = page.text if page.mimetype == "text/html" else ""
    return [tag for tag in _FORM.findall(text) if 'method="post"' in tag.lower()]


def send(visitor: Visitor, address: str, token: str | None) -> TestResponse:
    """Send a form that would do something, with a token against forged forms, or with none."""
    return visitor.client.post(address, data=_FIELDS | ({} if token is None else {"csrf_token": token}))

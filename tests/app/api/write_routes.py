"""All writes of the API, for tests that go through them."""

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.wire.contract import contract_of
from tests.app.api.helpers import demo
from tests.client import Client

# What the names in the paths are in the repo of such tests.
NAMES = {
    "repo_name": "demo",
    "target_name": "there",
    "prompt_name": "there",
    "tag_name": "v1",
    "label_name": "there",
    "token_name": "initial",
    "run_key": "0" * 64,
    "user_id": "bob",
}


def everything(app: Flask) -> str:
    """Return all commits and tags of alice's repo, and of the accounts."""
    return demo(app, "for-each-ref") + str(app.extensions["bakehouse"].accounts.list())


def writes(app: Flask) -> list[tuple[Rule, str]]:
    """Return each write of the API as a route and a method."""
    found = [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in sorted(rule.methods - {"GET", "HEAD", "OPTIONS"})
    ]
    assert len(found) > 20
    return found


def send(client: Client, rule: Rule, method: str, **headers: str) -> TestResponse:
    """Send a write with the example of its body."""
    body = contract_of(client.app.view_functions[rule.endpoint]).example
    return client.request(method, rule.build({name: NAMES[name] for name in rule.arguments})[1], body, **headers)

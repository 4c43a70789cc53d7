"""What tests of the editor get: a target, and who may only read it."""

from collections.abc import Callable

import pytest

from tests.app.web.edit.editor import Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made


@pytest.fixture
def target(alice: Client) -> Client:
    """Alice's requests; her repo has a target `a`."""
    assert alice.put("/v1/repo/demo/targets/a", made(temperature=0.7, max_tokens=100)).status_code == 200
    return alice


@pytest.fixture
def editor(target: Client, visitor: Visitor) -> Editor:  # noqa: ARG001 — the target must be there
    """The editor of target `a`, as it begins."""
    return Editor(visitor)


@pytest.fixture
def reader(alice: Client, sign_in: Callable[[str], Visitor]) -> Visitor:
    """Alice, signed in with a token for reading only."""
    return sign_in(alice.post("/v1/tokens", {"name": "reader", "access": "read"}).json["api_key"])

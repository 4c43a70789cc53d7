"""What tests of pages get: a browser without scripts, signed in or not."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.server import MASTER_KEY


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(app)


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], Visitor]:
    """Return a function that returns somebody who signed in with a token."""

    def make(token: str) -> Visitor:
        visitor = Visitor(app)
        assert visitor.post("/-/sign-in", token=token).status_code == 303
        return visitor

    return make


@pytest.fixture
def visitor(alice: Client, sign_in: Callable[[str], Visitor]) -> Visitor:
    """`alice`, who has a repo `demo`, signed in with her token."""
    return sign_in(alice.token)


@pytest.fixture
def operator(sign_in: Callable[[str], Visitor]) -> Visitor:
    """Somebody who signed in with the master key."""
    return sign_in(MASTER_KEY)

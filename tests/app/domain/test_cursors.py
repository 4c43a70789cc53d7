"""Cursors: what is written is read, and nothing else is one."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import cursors
from app.domain.cursors import Cursor
from tests.app.domain.documents import TEXT

COMMIT = "0123456789abcdef" * 2 + "01234567"


@given(TEXT, TEXT)
def test_a_cursor_is_read_as_it_was_written(digest: str, after: str):
    cursor = Cursor(COMMIT, digest, after)
    text = cursors.write(cursor)
    assert cursors.read(text) == cursor
    assert not set(text) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@given(st.text(max_size=200))
def test_any_other_text_is_none(text: str):
    assert cursors.read(text) is None


@pytest.mark.parametrize(
    "forged",
    [
        *([], {}, "x", None, 5, [COMMIT], [COMMIT, "q", "a", "b"], [COMMIT, "q", 5], [None, "q", "a"]),
        *(["HEAD", "q", "a"], [COMMIT[:39], "q", "a"], [COMMIT.upper(), "q", "a"], [f"{COMMIT}\n", "q", "a"]),
    ],
)
def test_a_forged_cursor_is_none(forged: object):
    assert cursors.read(base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")) is None


def test_a_deep_text_is_none():
    assert cursors.read(base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")) is None


@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4))
def test_digests_differ_where_the_parts_do(one: list[str], other: list[str]):
    assert (cursors.digest(one) == cursors.digest(other)) == (one == other)

"""Names of targets, templates and users: which are accepted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.names import name_problem, quoted, target_name_problem, user_id_problem

GOOD = ["a", "A1", "coding_target", "v1.2", "a-b", "0", "a" * 100, "lock", "git", "Batch", "a.lock.x"]
BAD = [
    *(
        "",
        ".",
        "..",
        "a..b",
        ".hidden",
        "-x",
        "_x",
        "a/b",
        "a b",
        "a\n",
        "a\0",
        "é",
        "a" * 101,
        "x.lock",
        "x.git",
    ),
    *("x.LOCK", "batch", "a%2e", "a\\b", "a:b", "a@b"),
]


@pytest.mark.parametrize("name", GOOD)
def test_good_names_are_accepted(name):
    assert name_problem(name) is None


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused(name):
    assert name_problem(name)
    assert target_name_problem(name)


def test_default_is_a_name_for_a_template_and_not_for_a_target():
    assert name_problem("default") is None
    assert target_name_problem("default")


@pytest.mark.parametrize("user_id", ["alice", "a@b.example", "a+b", "a" * 128])
def test_good_user_ids_are_accepted(user_id):
    assert user_id_problem(user_id) is None


@pytest.mark.parametrize("user_id", ["", "@a", "a" * 129, "a/b", "a..b", "x.git", "batch", "a b", "a\n"])
def test_bad_user_ids_are_refused(user_id):
    assert user_id_problem(user_id)


@given(st.text(st.sampled_from("aZ0._-@+/ \n\0%é"), max_size=12))
def test_accepted_names_are_safe_file_names(name):
    if name_problem(name) is None:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)
        assert ".." not in name


def test_of_a_long_name_a_message_has_the_start():
    assert quoted("a" * 100) == f"'{'a' * 100}'"
    assert quoted("a" * 101) == f"'{'a' * 100}…'"

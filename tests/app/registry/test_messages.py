"""Commit messages: subject, changed fields and trailers."""

import pytest

from app.registry.messages import Origin, changed_fields, message
from storage.signatures import Person


def test_a_message_has_subject_fields_and_trailers():
    origin = Origin("alice", request_id="r1", on_behalf=True)
    text = message(origin, "Update target a", ["temperature: 1.0 → 0.7"], {"Template": "default 1234"})
    assert text == (
        "Update target a\n\ntemperature: 1.0 → 0.7\n\nTemplate: default 1234\nRequest-Id: r1\nOn-Behalf-Of: alice\n"
    )
    assert message(Origin("alice"), "Only a subject") == "Only a subject\n"


def test_changed_fields_are_one_line_each():
    old = {"a": 1, "b": "same", "c": True, "gone": []}
    new = {"a": 1.0, "b": "same", "c": 1, "new": "two\nlines"}
    assert changed_fields(old, new) == [
        "a: 1 → 1.0",
        "c: true → 1",
        'new: (unset) → "two\\nlines"',
        "gone: [] → (unset)",
    ]


def test_long_and_unprintable_values_are_shortened_and_escaped():
    (line,) = changed_fields({}, {"a": "x" * 1000})
    assert len(line) < 260
    assert line.endswith("(1002 characters)")
    (line,) = changed_fields({}, {"a": "\x1b[31m\x9b\u2028"})
    assert line.isprintable()


@pytest.mark.parametrize(
    ("alias", "email", "name", "address"),
    [
        ("Alice", "a@example.org", "Alice", "a@example.org"),
        (None, None, "alice", "alice@bakehouse.invalid"),
        ("A <b>\nCommitter: x", "a@b>\n", "A bCommitter: x", "a@b"),
        ("<>\n", "", "alice", "alice@bakehouse.invalid"),
    ],
)
def test_an_author_cannot_inject_lines_into_a_commit(alias, email, name, address):
    author = Origin("alice", alias, email).author
    assert (author.name, author.email, author.user, author.token) == (name, address, "alice", None)


def test_the_name_of_a_token_cannot_inject_lines_into_a_commit():
    """Whoever edits a user's file by hand may give a token any name."""
    assert Origin("alice", token="ci\nUser: bob\n").author.trailers() == ["User: alice", "Token: ciUser: bob"]
    assert Origin("alice", token="\n").author.trailers() == ["User: alice"]
    for person in (Person("A", "a@b", "bob\nToken: x"), Person("A", "a@b", "bob", "\0"), Person("A", "a@b", "")):
        with pytest.raises(ValueError, match="cannot be the"):
            person.trailers()


def test_an_author_is_named_in_nfc():
    assert Origin("zoe", "Zoe\u0308", "e\u0301@b").author == Person("Zoë", "é@b", "zoe")

"""Reasons in the messages of commits and tags: exact, and told from every other line."""

import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import reasons as header
from app.registry.messages import Origin, message
from storage import reasons
from storage.ids import CommitId, ObjectId
from storage.plumbing.commits import CommitHeader, TagHeader, serialize_tag
from storage.signatures import Signature
from tests.storage.repositories import BOB

_NEW = CommitHeader(ObjectId(bytes(20)), None, 10**15)
_STOPPED = "".join(map(chr, range(0xA0))) + "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_WORDS = ["---", "# ------------------------ >8 ------------------------", "#", "Reason-Length: 3", "User: bob", "a: 1"]

_words = st.sampled_from(_WORDS)
_texts = st.text(st.characters(codec="utf-8", exclude_characters=_STOPPED), min_size=1, max_size=60)
_texts |= st.text("-# ab:é", min_size=1, max_size=8) | st.builds("{} {}".format, _words, _words)
reasons_of_users = _texts.map(lambda text: unicodedata.normalize("NFC", text).strip()).filter(bool)
lines_about_fields = st.lists(_words.filter(lambda line: line.islower()) | reasons_of_users.map("a: {}".format))


def trailers(text: str) -> list[str]:
    """Return the trailers that git finds in a message."""
    command = ["git", "interpret-trailers", "--parse"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout.decode().splitlines()


@given(st.none() | reasons_of_users, lines_about_fields, st.none() | st.just("r1"))
def test_every_reason_comes_back_from_the_message_of_a_commit(
    reason: str | None, lines: list[str], request: str | None
):
    text = message(Origin("alice", request_id=request, token="ci", reason=reason), "Update a", lines)
    signature = Signature.parse(_NEW.serialize(Origin("alice", token="ci").author, text))
    assert (signature.reason, signature.subject, signature.user) == (reason, "Update a", "alice")
    assert signature.message.startswith("Update a\n")


@given(st.none() | reasons_of_users, st.text(max_size=9) | _words | st.just("a\n\nb\n\nReason-Length: 1"))
def test_every_reason_comes_back_from_a_tag_whose_message_stays_as_it_is(reason: str | None, text: str):
    text = f"{text}\n".replace("\0", "").encode("utf-8", "replace").decode()
    data = serialize_tag("v1", CommitId("0" * 40), Origin("alice", token="ci").author, 0, text, reason)
    signature = TagHeader.parse(data).signature
    assert (signature.reason, signature.message, signature.user, signature.token) == (reason, text, "alice", "ci")


@pytest.mark.parametrize(("length", "is_told"), [(1000, True), (1001, False), (200_000, False)])
def test_a_longer_reason_than_a_request_may_have_is_none_in_a_commit_by_hand(length: int, is_told: bool):
    data = _NEW.serialize(BOB, f"Change\n\n{'y' * length}\n\nReason-Length: {length}\n")
    assert Signature.parse(data).reason == ("y" * length if is_told else None)


@pytest.mark.parametrize("reason", [*_WORDS, "--- a", "# a", "it's due: now", "x" * 1000])
def test_git_finds_the_trailers_beside_every_reason(reason: str):
    origin = Origin("alice", request_id="r1", token="ci", reason=reason)
    data = _NEW.serialize(origin.author, message(origin, "Update a", ["b: 1 → 2"], {"Template": "default 1"}))
    text = data.decode().partition("\n\n")[2]
    assert trailers(text)[:-1] == [
        "Template: default 1",
        f"Reason-Length: {len(reason)}",
        "Request-Id: r1",
        "User: alice",
        "Token: ci",
    ]
    assert text.split("\n")[2].strip() == Signature.parse(data).reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "Fix\n\nbecause\n",
        "Fix\n\nbecause\n\nSigned-off-by: a\n",
        "Fix\n\nReason-Length: 3\n",
        "Fix\n\nabc\n\nReason-Length: 4\n",
        "Fix\n\nabc\n\nReason-Length: 0\n",
        "Fix\n\nabc\n\nReason-Length: 3\n\nReviewed-by: a\n",
        "Fix\n\nabcd\n\nReason-Length: 3\n",
        "Reason-Length: 3\n",
        "Reason-Length: 3",
        "",
    ],
)
def test_a_message_by_hand_or_of_an_older_version_tells_no_reason(text: str):
    assert reasons.find(text) is None
    assert Signature.parse(_NEW.serialize(BOB, text)).reason is None


@given(reasons_of_users)
def test_a_header_tells_a_reason_in_each_form(reason: str):
    quoted = "".join(f"%{byte:02x}" for byte in reason.encode())
    for sent in (quoted, f"UTF-8''{quoted}", f"utf-8'en-GB'{quoted}", f" {quoted}%20", reason.replace("%", "%25")):
        assert header.read(sent.encode()) == reason

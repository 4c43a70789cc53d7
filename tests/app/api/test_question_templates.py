"""`…/question-templates`: the files in `templates/`, and who owns them."""

from base64 import b64decode

import pytest
from flask import Flask

from tests.app.api.helpers import DEFAULT, FILES, TARGETS, Limited, demo, new_token, new_user, put
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import asking
from tests.seams import count_parses
from tests.timeline import commit_by_hand

ASK = "templates/ask.txt"
BYTES = b"\xff\xfe\x00"


def blob(app: Flask, path: str, commit: str = "main") -> str:
    """Return the blob id of a file."""
    return demo(app, "rev-parse", f"{commit}:{path}").strip()


def test_the_files_are_listed_with_their_owners(app: Flask, alice: Client, monkeypatch: pytest.MonkeyPatch):
    assert alice.get(FILES).json == {"question_templates": [], "next": None}
    put(alice, "b", generators=asking("Grüße"))
    put(alice, "a", generators=asking("Grüße"))
    put(alice, "heir", "a")
    alice.put(DEFAULT, {"config": {"generators": asking("two", "B.md")}})
    parses = count_parses(monkeypatch)
    assert alice.get(FILES).json == {
        "question_templates": [
            {
                "file_name": "B.md",
                "version": blob(app, "templates/B.md"),
                "size": 3,
                "owners": ["default"],
                "owners_count": 1,
            },
            {"file_name": "ask.txt", "version": blob(app, ASK), "size": 7, "owners": ["a", "b"], "owners_count": 2},
        ],
        "next": None,
    }
    assert parses == []


def test_a_file_can_be_read_as_json(app: Flask, alice: Client):
    put(alice, "b", generators=asking("Ask {x}.\r\n"))
    put(alice, "heir", "b")
    answer = alice.get(f"{FILES}/ask.txt")
    assert answer.json == {
        "file_name": "ask.txt",
        "version": blob(app, ASK),
        "size": 10,
        "content": "Ask {x}.\r\n",
        "owners": ["b"],
        "owners_count": 1,
        "used_by": ["b", "heir"],
        "used_by_count": 2,
    }
    assert answer.headers["Vary"] == "Accept"


def test_a_file_can_be_read_as_text(app: Flask, alice: Client):
    commit = put(alice, "b", generators=asking("Ask {x}.\r\nGrüße"))
    answer = alice.get(f"{FILES}/ask.txt", Accept="text/plain")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.data == "Ask {x}.\r\nGrüße".encode()
    assert (answer.headers["ETag"], answer.headers["Git-Commit"]) == (f'"{blob(app, ASK)}"', commit)
    for accept in ("application/json", "*/*", "text/html", "application/json, text/plain;q=0.5"):
        assert alice.get(f"{FILES}/ask.txt", Accept=accept).json["content"] == "Ask {x}.\r\nGrüße"


def test_a_file_that_is_not_utf_8_is_json_whatever_is_asked_for(app: Flask, alice: Client):
    put(alice, "b", generators=asking("text"))
    commit_by_hand(app, {ASK: BYTES})
    for accept in ("text/plain", "application/json"):
        answer = alice.get(f"{FILES}/ask.txt", Accept=accept)
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        assert (answer.json["content"], b64decode(answer.json["content_base64"])) == (None, BYTES)
        assert (answer.json["size"], answer.json["version"]) == (3, blob(app, ASK))
        # The target owns other content: that of its own version.
        assert (answer.json["owners"], answer.json["used_by"]) == ([], ["b"])


def test_a_known_file_is_answered_304(alice: Client):
    put(alice, "b", generators=asking("one"))
    path = f"{FILES}/ask.txt"
    for accept in ("text/plain", "application/json"):
        seen = alice.get(path, Accept=accept)
        known = alice.get(path, Accept=accept, If_None_Match=seen.headers["ETag"])
        assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", seen.headers["ETag"])
    alice.put("/v1/repo/demo/prompts/p", {"messages": []})
    assert alice.get(path, If_None_Match=seen.headers["ETag"]).status_code == 304
    text = alice.get(path, Accept="text/plain").headers["ETag"]
    put(alice, "heir", "b")
    changed = alice.get(path, If_None_Match=seen.headers["ETag"])
    assert (changed.status_code, changed.json["used_by"]) == (200, ["b", "heir"])
    assert alice.get(path, Accept="text/plain", If_None_Match=text).status_code == 304
    listed = alice.get(FILES).headers["ETag"]
    assert alice.get(FILES, If_None_Match=listed).status_code == 304
    put(alice, "b", generators=asking("two"))
    assert alice.get(FILES, If_None_Match=listed).status_code == 200
    assert alice.get(path, Accept="text/plain", If_None_Match=text).text == "two"


def test_files_can_be_read_at_a_ref(app: Flask, alice: Client):
    first = put(alice, "b", generators=asking("one"))
    put(alice, "b", generators=asking("two"))
    gone = alice.delete(f"{TARGETS}/b").headers["Git-Commit"]
    then = alice.get(f"{FILES}/ask.txt?ref={first}")
    assert (then.json["content"], then.headers["Git-Commit"]) == ("one", first)
    assert alice.get(f"{FILES}?ref={first}").json["question_templates"][0]["version"] == blob(app, ASK, first)
    assert_error(alice.get(f"{FILES}/ask.txt?ref={gone}"), 404, "RESOURCE_NOT_FOUND", "Question template 'ask.txt'")
    assert alice.get(FILES).json["question_templates"] == []


def test_a_file_with_many_owners_names_the_first_100(alice: Client):
    batch = [
        {"target_name": f"t{number:03}", "template": "default", "overrides": {"generators": asking("one")}}
        for number in range(101)
    ]
    assert alice.post(f"{TARGETS}/batch", {"targets": batch}).status_code == 200
    for found in (alice.get(f"{FILES}/ask.txt").json, alice.get(FILES).json["question_templates"][0]):
        assert (found["owners"], found["owners_count"]) == ([f"t{number:03}" for number in range(100)], 101)
    whole = alice.get(f"{FILES}/ask.txt/uses").json["targets"]
    assert [use["target_name"] for use in whole] == [f"t{number:03}" for number in range(101)]


def test_the_list_is_paged_by_the_bytes_that_it_sends_and_reads(limited: Limited):
    for limits in ({"max_page": 300}, {"max_parsed": 4096}):
        client = limited(**limits)
        for number in range(9):
            put(client, f"t{number}", generators=asking("x" * 1500, f"{number}.txt"))
        pages, query = [], ""
        while True:
            page = client.get(f"{FILES}{query}").json
            pages.append([file["file_name"] for file in page["question_templates"]])
            if page["next"] is None:
                break
            query = f"?ref={page['next']['ref']}&offset={page['next']['offset']}"
        assert [name for page in pages for name in page] == [f"{number}.txt" for number in range(9)]
        assert len(pages) >= 3


def test_what_somebody_put_there_by_hand(app: Flask, alice: Client):
    put(alice, "b", generators=asking("one"))
    commit_by_hand(app, {"templates/no body.txt": b"x", "templates/folder/x.txt": b"x", "templates/alone": b"x"})
    listed = alice.get(FILES).json["question_templates"]
    assert [(file["file_name"], file["owners"]) for file in listed] == [("alone", []), ("ask.txt", ["b"])]
    assert_error(alice.get(f"{FILES}/folder"), 404, "RESOURCE_NOT_FOUND", "'folder'")


def test_a_file_named_after_a_target_with_a_long_name_can_be_read(alice: Client):
    name = "x" * 100
    generators = [{"type": "custom", "template_content": "one"}]
    put(alice, name, generators=generators)
    [file] = alice.get(FILES).json["question_templates"]
    assert file["file_name"] == f"{name}-0.txt"
    assert alice.get(f"{FILES}/{name}-0.txt").json["content"] == "one"


def test_wrong_names_are_refused(alice: Client):
    for name in ("a%20b", "x" * 256, "a:b"):
        mistake = (["path", "file_name"], "string_pattern_mismatch")
        assert_mistakes(alice.get(f"{FILES}/{name}"), mistake)
    assert_error(alice.get(f"{FILES}/nope.txt"), 404, "RESOURCE_NOT_FOUND", "Question template 'nope.txt'")
    assert_error(alice.put(f"{FILES}/nope.txt", {}), 405, "METHOD_NOT_ALLOWED")
    assert_mistakes(alice.get(f"{FILES}?offset=x"), (["query", "offset"], "int_parsing"))


def test_who_may_read(master: Client, alice: Client):
    put(alice, "b", generators=asking("one"))
    reader, bob = new_token(master, access="read"), new_user(master, "bob")
    for path in (FILES, f"{FILES}/ask.txt"):
        assert reader.get(path).json == alice.get(path).json
        assert_error(bob.get(path), 404, "RESOURCE_NOT_FOUND", "Repo 'demo'")
        assert_error(bob.get(path, X_User_Id="alice"), 403, "FORBIDDEN")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert bob.get(FILES, X_User_Id="alice").json == alice.get(FILES).json

"""Who did it: the user and the token in commits, tags and answers, and `author=` with the id of a user."""

import unicodedata
from urllib.parse import quote

import pytest
from flask import Flask

from storage.repository import Repository
from storage.signatures import Person
from storage.store import Store
from storage.transaction import Transaction
from tests.app.api.helpers import DEFAULT, MESSAGES, PROMPTS, TARGETS, TOKENS, explain, log, new_user
from tests.client import Client
from tests.payloads import made, target
from tests.storage.repositories import commit_files
from tests.timeline import LOG, commit_by_hand, commits, demo_repository, put_target, tip

USERS = "/v1/admin/users"
TAGS = "/v1/repo/demo/tags"
ALIAS = {"user_alias": "Alice", "user_email": "alice@example.org"}


@pytest.fixture
def twin(app: Flask, master: Client, alice: Client) -> Client:
    """A user who bears the name and address of alice, and may write to her repo."""
    answer = master.post(USERS, {"user_id": "alice.2", **ALIAS})
    alice.put("/v1/repo/demo/grants/alice.2", {"access": "write"})
    return Client(app, answer.json["api_key"])


def test_every_change_says_which_user_and_token_made_it(app: Flask, master: Client, alice: Client):
    """Of a repo, and of the accounts."""
    ci = Client(app, master.post(TOKENS, {"name": "ci"}).json["api_key"])
    ci.post(TARGETS, target("a", temperature=0.5))
    ci.put(f"{TARGETS}/a", made(temperature=0.6))
    ci.post(f"{TARGETS}/batch", {"targets": [target("b", "a", temperature=0.7)]})
    ci.put(f"{TARGETS}/a", made(temperature=0.8))
    ci.post(f"{TARGETS}/b/rebase", {})
    ci.post(f"{TARGETS}/b/revert", {"to": "HEAD"})
    ci.put(f"{PROMPTS}/p", {"messages": MESSAGES})
    ci.post(f"{PROMPTS}/batch", {"prompts": {"q": MESSAGES}})
    ci.put(DEFAULT, {"config": {"temperature": 0.1}})
    ci.put("/v1/repo/demo/grants/bob", {"access": "read"})
    ci.delete(f"{TARGETS}/a")
    entries = alice.get(LOG).json["commits"]
    assert len(entries) > 9
    for entry in entries[:-1]:
        assert (entry["author"]["user"], entry["author"]["token"]) == ("alice", "ci"), entry["subject"]
    told = log(app, "--format=%(trailers:key=User,key=Token,valueonly,separator=%x2C)").split()
    assert told == [*["alice,ci"] * (len(entries) - 1), "alice,initial"]
    accounts = Store(app.extensions["bakehouse"].settings.data_dir).open("accounts")
    users = [accounts.signature(logged.commit).user for logged in accounts.log(accounts.head().commit)]
    assert users == ["admin", "admin", "bakehouse"]


def test_answers_have_user_and_token_wherever_they_have_an_author(app: Flask, master: Client, alice: Client):
    put_target(alice, "a", temperature=0.5)
    author = {"name": "Alice", "email": "alice@example.org", "user": "alice", "token": "initial"}
    assert alice.get(f"{LOG}?limit=1").json["commits"][0]["author"] == author
    assert alice.get(f"{TARGETS}/a/history").json["commits"][0]["author"] == author
    explained = explain(alice, "a")
    assert explained["layers"][0]["commit"] == explained["fields"]["/temperature"]["commit"]
    assert [commit["author"] for commit in explained["commits"].values()] == [author] * 2
    assert alice.post(TAGS, {"name": "v1"}).json["tagger"] == author
    master.put(f"{TARGETS}/a?user_id=alice", made(temperature=0.6))
    assert alice.get(f"{LOG}?limit=1").json["commits"][0]["author"] == {**author, "token": None}
    assert "\nUser: alice\nOn-Behalf-Of" not in log(app, "-1", "--format=%B")
    commit_by_hand(app, {"a": b"1"})
    unknown = {"name": "Bob [ops]", "email": "bob@work.example", "user": None, "token": None}
    assert alice.get(f"{LOG}?limit=1").json["commits"][0]["author"] == unknown


def test_the_message_of_a_tag_cannot_name_another_user(app: Flask, alice: Client):
    for number, message in enumerate(("Mine\n\nUser: bob\nToken: root", "User: bob\n", "a\n\n\n", "Token: x\nTime: y")):
        answer = alice.post(TAGS, {"name": f"v{number}", "message": message})
        assert (answer.status_code, answer.json["message"]) == (201, message.removesuffix("\n"))
        assert (answer.json["tagger"]["user"], answer.json["tagger"]["token"]) == ("alice", "initial")
        assert alice.get(f"{TAGS}/v{number}").json == answer.json
    assert demo_repository(app).tags()[0].signature.subject == "Mine"


def test_a_user_id_means_exactly_that_user(app: Flask, alice: Client, twin: Client):
    hers = put_target(alice, "a", temperature=0.5)
    other = twin.put(f"{TARGETS}/a", made(temperature=0.6), X_User_Id="alice").headers["Git-Commit"]
    by_hand = commit_by_hand(app, {"a": b"User: alice.2\n"})
    for _ in range(2):
        assert commits(alice, "author=alice.2") == [other]
        assert commits(alice, "author=alice")[0] == hers
        assert commits(alice, "author=Alice")[:2] == [other, hers]
        assert commits(alice, "author=alice@example.org")[:2] == [other, hers]
        assert commits(alice, "author=alice.2&path=targets/a.yml&limit=1") == [other]
        assert commits(alice, "author=Bob") == [by_hand]
        demo_repository(app).checkpoint()  # git answers now


def test_a_user_without_commits_has_none(master: Client, alice: Client):
    new_user(master, "ali")
    assert commits(alice, "author=ali") == []
    assert len(commits(alice, "author=alic")) == 1


def test_an_owner_without_an_account_is_a_user_too(master: Client):
    master.post("/v1/repo?user_id=zoe", {"repo_name": "demo"})
    master.put(f"{TARGETS}/a?user_id=zoe", made(temperature=0.5))
    assert len(master.get(f"{LOG}?user_id=zoe&author=zoe").json["commits"]) == 2
    assert master.get(f"{LOG}?user_id=zoe&author=zo").json["commits"][0]["author"]["user"] == "zoe"


def before_trailers(app: Flask, authors: list[Person]) -> Repository:
    """Make alice's repo `old`, whose first commits are as older versions made them."""
    first, *others = authors
    store = app.extensions["bakehouse"].store
    head = demo_repository(app).head()
    files = {path: head.read(path).data for path in ("README.md", "repo.yml", "defaults/target.yml")}
    repository = store.create("alice/old", commit_files(files, first))
    for number, author in enumerate(others):
        repository.transact(commit_files({"a": b"%d" % number}, author))
    return repository


def test_older_commits_are_found_by_name_and_address(app: Flask, alice: Client):
    people = [Person("Alice", "alice@example.org"), Person("Malice", "alice@example.org"), Person("Al", "al@b")]
    repository = before_trailers(app, [*people, people[0]])
    *others, first = [logged.commit for logged in repository.log(repository.head().commit)]
    path = "/v1/repo/old/log"
    for _ in range(2):
        assert commits(alice, "author=alice", path) == [others[0], first]
        repository.checkpoint()
    last = alice.put("/v1/repo/old/targets/a", made(temperature=0.5)).headers["Git-Commit"]
    now = repository.transact(commit_files({"a": b"now"}, people[0]))
    assert [logged.commit for logged in repository.log(now, limit=2)] == [now, last]
    for _ in range(2):
        assert commits(alice, "author=alice", path) == [last, others[0], first]
        assert commits(alice, "author=alice&limit=2", path) == [last, others[0]]
        assert commits(alice, f"author=alice&ref={others[1]}", path) == [first]
        assert commits(alice, f"author=alice&before={others[0]}", path) == [first]
        repository.checkpoint()


def test_names_are_compared_in_nfc(app: Flask, master: Client, alice: Client):
    composed, decomposed = (unicodedata.normalize(form, "Zoë Ångström") for form in ("NFC", "NFD"))
    body = {"user_id": "zoe", "user_alias": decomposed, "user_email": "z.a@bakery.example"}
    zoe = Client(app, master.post(USERS, body).json["api_key"])
    alice.put("/v1/repo/demo/grants/zoe", {"access": "write"})
    hers = zoe.put(f"{TARGETS}/a", made(temperature=0.5), X_User_Id="alice").headers["Git-Commit"]
    assert log(app, "-1", "--format=%an", hers) == f"{composed}\n"
    older = commit_by_hand(app, {"a": b"1"})
    repository = demo_repository(app)
    old = repository.transact(commit_files({"a": b"2"}, Person(decomposed, "old@bakery.example")))
    for _ in range(2):
        for text in (composed, decomposed, "ångstr", unicodedata.normalize("NFD", "ZOË")):
            assert commits(alice, f"author={quote(text)}") == [old, hers]
        repository.checkpoint()
    assert older == commits(alice, "author=bob")[0]
    assert tip(app) == old


@pytest.mark.usefixtures("alice")
def test_a_name_and_address_of_another_user_are_warned_of(master: Client):
    answer = master.post(USERS, {"user_id": "bob", **ALIAS})
    (warning,) = answer.json["warnings"]
    assert (answer.status_code, "'alice'" in warning, "'bob'" in warning) == (201, True, True)
    composed, decomposed = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    for number, (alias, email, others) in enumerate(
        (
            ("Alice", "other@example.org", []),
            (None, None, []),
            (composed, "z@example.org", []),
            (f" {decomposed} ", "Z@example.org", ["'u2'"]),
            ("u1", "u1@bakehouse.invalid", ["'u1'"]),
        )
    ):
        answer = master.post(USERS, {"user_id": f"u{number}", "user_alias": alias, "user_email": email})
        assert len(answer.json["warnings"]) == len(others)
        assert all(other in warning for other, warning in zip(others, answer.json["warnings"], strict=True))


def test_a_message_by_hand_names_no_user(app: Flask, alice: Client):
    person = Person("Alice", "alice@example.org")
    repository = before_trailers(app, [person, person])

    def by_hand(transaction: Transaction) -> None:
        transaction.write("b", b"")
        transaction.commit("Change\n\nUser: she asked for it\n\nTwice.\n", Person("Hand", "hand@example.org"))

    repository.transact(by_hand)
    repository.transact(commit_files({"a": b"later"}, person))
    for _ in range(2):
        assert len(commits(alice, "author=alice", "/v1/repo/old/log")) == 3
        repository.checkpoint()

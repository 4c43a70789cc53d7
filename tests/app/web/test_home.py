"""The first page, the pages of owners, and new repos."""

import html
import re
import shutil
from collections.abc import Callable

import pytest
from flask import Flask

from tests.app.api.helpers import new_token, new_user, put
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.seams import count_opened

SignIn = Callable[[str], Visitor]

_CARD = re.compile(r'<li class="card repo">(.*?)</li>', re.DOTALL)


def words(page: str) -> str:
    """Return the text of a page, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def cards(visitor: Visitor, path: str = "/") -> list[str]:
    """Return the text of each repo on a page."""
    answer = visitor.get(path)
    assert answer.status_code == 200, answer.text
    return [words(card) for card in _CARD.findall(answer.text)]


def link(page: str, text: str) -> str:
    """Return where the link with a text leads."""
    found = re.findall(rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(text)}</a>', page)
    assert found, f"there is no link '{text}'"
    return html.unescape(found[0])


@pytest.fixture
def bob(master: Client) -> Client:
    return new_user(master, "bob")


def test_a_user_sees_their_repos_with_what_matters(visitor: Visitor, alice: Client):
    put(alice, "a")
    alice.put("/v1/repo/demo/targets/b", {"template": "a", "overrides": {"max_tokens": 5}}, X_Change_Reason="shorter")
    for name in ("production", *(f"x{number}" for number in range(6))):
        alice.put(f"/v1/repo/demo/labels/{name}", {"ref": "main"})
    alice.put("/v1/repo/demo/targets/b", {"template": "a", "overrides": {"max_tokens": 4}}, X_Change_Reason="shorter")
    alice.post("/v1/repo", {"repo_name": "second", "base_model": "Tiny"})
    demo, second = cards(visitor)
    assert demo.startswith("demo 2 targets base model Qwen/Qwen3-32B production x0 x1 x2 x3 and 2 more labels")
    assert re.search(r"b: max_tokens 5 → 4 Alice ?, [-\d]+ [:\d]+ : shorter \w{7}$", demo)
    assert second.startswith("second 0 targets base model Tiny Create repo second Alice")
    assert link(visitor.get("/").text, "demo") == "/alice/demo"
    assert link(visitor.get("/alice/demo").text, "alice") == "/alice"
    assert cards(visitor, "/alice") == [demo, second]


def test_many_repos_come_in_pages_and_only_those_of_the_page_are_opened(
    visitor: Visitor, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    for number in range(44):
        alice.post("/v1/repo", {"repo_name": f"r{number:02}"})
    opened = count_opened(monkeypatch)
    page = visitor.get("/").text
    assert len(_CARD.findall(page)) == 20
    assert len({name for name in opened if name.startswith("alice/")}) == 20
    page = visitor.get(link(page, "Last")).text
    assert [words(card).split()[0] for card in _CARD.findall(page)] == [f"r{number}" for number in range(39, 44)]
    assert "page 3 of 3" in page
    assert cards(visitor, "/?page=99") == cards(visitor, "/?page=3")


def test_what_others_share_is_shown_with_what_one_may_do_there(
    master: Client, alice: Client, bob: Client, sign_in: SignIn
):
    for number in range(12):
        alice.post("/v1/repo", {"repo_name": f"r{number:02}"})
        alice.put(f"/v1/repo/r{number:02}/grants/bob", {"access": "read" if number else "write"})
    visitor = sign_in(bob.token)
    found = cards(visitor)
    assert len(found) == 10
    assert found[0].startswith("alice / r00 0 targets base model Qwen/Qwen3-32B you may write")
    assert "you may read" in found[1]
    page = visitor.get("/").text
    assert "You have no repo yet." in words(page)
    assert [card.split()[2] for card in cards(visitor, link(page, "Next").partition("#")[0])] == ["r10", "r11"]
    token = master.post("/v1/admin/users/bob/tokens", {"name": "reader", "access": "read"}).json["api_key"]
    reader = sign_in(token)
    assert "you may read" in cards(reader)[0]
    assert "A new repo" not in reader.get("/").text
    assert len(cards(visitor, "/alice")) == 12
    assert "Shared with you" not in visitor.get("/alice").text
    assert "A new repo" not in visitor.get("/alice").text


def test_a_token_for_some_repos_sees_these_alone(master: Client, alice: Client, sign_in: SignIn):
    alice.post("/v1/repo", {"repo_name": "second"})
    visitor = sign_in(new_token(master, name="some", repos=["second"]).token)
    assert [card.split()[0] for card in cards(visitor)] == ["second"]


@pytest.mark.usefixtures("alice")
def test_nobody_learns_which_users_there_are(bob: Client, sign_in: SignIn, stranger: Visitor):
    visitor = sign_in(bob.token)
    said = {}
    for owner in ("alice", "nobody"):
        answer = visitor.get(f"/{owner}")
        assert answer.status_code == 403
        said[owner] = words(answer.text).replace(owner, "…")
    assert said["alice"] == said["nobody"]
    assert stranger.get("/alice").location == "/-/sign-in?next=/alice"


def test_a_repo_is_made_by_a_form(visitor: Visitor, alice: Client):
    answer = visitor.post("/alice", repo_name=" new ", base_model="", reason="A fresh start")
    assert (answer.status_code, answer.location) == (303, "/alice/new")
    assert "Repo new is made." in visitor.get("/alice/new").text
    [commit] = alice.get("/v1/repo/new/log").json["commits"]
    assert (commit["reason"], commit["author"]["user"]) == ("A fresh start", "alice")
    assert alice.get("/v1/repo/new").json["base_model"] == "Qwen/Qwen3-32B"
    visitor.post("/alice", repo_name="tiny", base_model="Tiny")
    assert alice.get("/v1/repo/tiny").json["base_model"] == "Tiny"


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("", 422, "This name must start with a letter or digit"),
        ("a b", 422, "This name must start with a letter or digit"),
        ("a" * 101, 422, "100 characters at most"),
        ("con", 422, "keeps this name for a device"),
        ("demo", 409, "Repo 'demo' exists already"),
        ("Demo", 409, "differs from"),
    ],
)
def test_a_new_repo_that_is_refused_says_why_and_keeps_what_was_typed(
    visitor: Visitor, alice: Client, name: str, status: int, said: str
):
    answer = visitor.post("/alice", repo_name=name, base_model="", reason="because")
    assert answer.status_code == status, answer.text
    assert said in words(answer.text)
    assert 'value="because"' in answer.text
    assert visitor.post("/alice", repo_name=name, base_model="Tiny").status_code == status
    assert alice.get("/v1/repo").json["repos"] == ["demo"]


def test_who_may_not_make_a_repo_is_refused(master: Client, alice: Client, bob: Client, sign_in: SignIn):
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    reader = sign_in(new_token(master, access="read").token)
    some = sign_in(new_token(master, name="some", repos=["one"]).token)
    assert sign_in(bob.token).post("/alice", repo_name="x").status_code == 403
    assert reader.post("/alice", repo_name="x").status_code == 403
    assert some.post("/alice", repo_name="x").status_code == 403
    assert some.post("/alice", repo_name="one").status_code == 303
    assert reader.client.post("/alice", data={"repo_name": "x"}).status_code == 403
    assert sign_in(alice.token).client.post("/alice", data={"repo_name": "x"}).status_code == 400  # no CSRF token
    assert alice.get("/v1/repo").json["repos"] == ["demo", "one"]


@pytest.mark.usefixtures("alice")
def test_the_master_key_sees_all_owners(operator: Visitor, master: Client):
    for number in range(60):
        master.post("/v1/admin/users", {"user_id": f"u{number:02}"})
    master.post("/v1/repo", {"repo_name": "one"}, X_User_Id="no-account")
    page = operator.get("/").text
    assert "1–50 of 63" in page
    assert re.findall(r'<th scope="row"><a href="(/[^"]*)"', page)[:4] == ["/admin", "/alice", "/no-account", "/u00"]
    assert re.search(r"alice Alice 1 no-account 1 u00 0", words(page))
    assert "u59" in operator.get(link(page, "Next")).text
    found = operator.get("/?q=ALICE@example").text
    assert re.findall(r'<th scope="row"><a href="(/[^"]*)"', found) == ["/alice"]
    assert "Nobody is found so." in operator.get("/?q=zzz").text


def test_the_master_key_makes_repos_for_users(operator: Visitor, alice: Client):
    assert cards(operator, "/alice")[0].startswith("demo 0 targets")
    assert "Shared with you" not in operator.get("/alice").text
    assert operator.post("/alice", repo_name="new").location == "/alice/new"
    assert alice.get("/v1/repo").json["repos"] == ["demo", "new"]
    assert operator.post("/admin", repo_name="own").status_code == 303


def test_a_user_who_does_not_exist_is_not_found_by_the_master_key(operator: Visitor, master: Client):
    for answer in (operator.get("/ghost"), operator.post("/ghost", repo_name="x"), operator.get("/ghost/demo")):
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "ghost" in operator.get("/ghost").text
    assert operator.get("/admin").status_code == 200
    master.post("/v1/admin/users", {"user_id": "ghost"})
    assert operator.get("/ghost").status_code == 200
    master.delete("/v1/admin/users/ghost")
    assert operator.get("/ghost").status_code == 403  # removed
    assert "was removed" in operator.get("/ghost").text


def test_a_damaged_repo_is_told_and_the_others_are_shown(app: Flask, visitor: Visitor, alice: Client):
    alice.post("/v1/repo", {"repo_name": "broken"})
    folder = app.extensions["bakehouse"].settings.data_dir / "repos/alice/broken.git"
    shutil.rmtree(folder / "objects")
    shutil.rmtree(folder / "refs")
    broken, demo = cards(visitor)
    assert broken.startswith("broken cannot be read ")
    assert demo.startswith("demo 0 targets")


@pytest.mark.usefixtures("alice")
def test_owners_of_repos_are_shown_while_the_accounts_are_damaged(app: Flask, operator: Visitor):
    shutil.rmtree(app.extensions["bakehouse"].settings.data_dir / "accounts.git")
    assert '<a href="/alice">' in operator.get("/").text
    assert cards(operator, "/alice")[0].startswith("demo")


def test_texts_that_would_be_markup_show_as_text(visitor: Visitor, alice: Client):
    text = "<script>alert(1)</script>"
    visitor.post("/alice", repo_name="x", base_model=text, reason=text)
    assert visitor.post("/alice", repo_name=text, base_model=text, reason=text).status_code == 422
    for page in (visitor.get("/").text, visitor.post("/alice", repo_name=text, base_model=text, reason=text).text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    assert alice.get("/v1/repo").json["repos"] == ["demo", "x"]

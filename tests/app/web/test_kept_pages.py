"""Pages that are kept: the same page is made once, and never shown to another viewer, or after a change."""

from collections.abc import Callable

import pytest

from app.registry.audit import lineage
from app.web.session import COOKIE
from tests.app.api.helpers import new_user, put
from tests.app.web.visitor import Visitor
from tests.client import Client

TARGET, REPO, TREE = "/alice/demo/targets/a", "/alice/demo", "/alice/demo/tree"


@pytest.fixture(autouse=True)
def a_target(alice: Client) -> None:
    put(alice, "a", temperature=0.5)
    put(alice, "b", "a")


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the targets that were explained."""
    names: list[str] = []
    explain = lineage.explain

    def count(*arguments):
        names.append(arguments[2].name)
        return explain(*arguments)

    monkeypatch.setattr(lineage, "explain", count)
    return names


def test_the_same_page_is_made_once(visitor: Visitor, explained: list[str]):
    first = visitor.get(TARGET)
    again = visitor.get(TARGET)
    assert (again.data, again.mimetype, explained) == (first.data, "text/html", ["a"])
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    assert again.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", [TARGET, REPO, TREE])
def test_a_change_is_seen_at_once(page: str, alice: Client, visitor: Visitor):
    seen = {visitor.get(page).text}
    changes: list[Callable[[], object]] = [
        lambda: put(alice, "a", temperature=0.7),
        lambda: alice.post("/v1/repo/demo/tags", {"name": "v1"}),
        lambda: alice.put("/v1/repo/demo/labels/production", {"ref": "v1"}),
        lambda: put(alice, "b", "a", max_tokens=5),
        lambda: alice.put("/v1/repo/demo/labels/production", {"ref": "main"}),
    ]
    for number, change in enumerate(changes, 2):
        change()
        seen.add(visitor.get(page).text)
        assert len(seen) == number


@pytest.mark.parametrize("page", [TARGET, REPO, TREE])
def test_each_address_is_a_page_of_its_own(page: str, alice: Client, visitor: Visitor):
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    now = visitor.get(page).text
    then = visitor.get(f"{page}?ref=v1").text
    assert "You see the repo as it was at" in then
    assert "You see the repo as it was at" not in now


@pytest.mark.parametrize("page", [TARGET, REPO])
def test_a_page_names_the_server_as_its_reader_does(page: str, visitor: Visitor):
    assert "http://localhost/" in visitor.get(page).text
    headers = {"Host": "elsewhere.example", "Cookie": f"{COOKIE}={visitor.client.get_cookie(COOKIE).value}"}
    elsewhere = visitor.app.test_client(use_cookies=False).get(page, headers=headers)
    assert "http://elsewhere.example/" in elsewhere.text
    assert "elsewhere.example" not in visitor.get(page).text


@pytest.mark.parametrize("page", [TARGET, REPO, TREE])
def test_no_viewer_sees_the_page_of_another(
    page: str, alice: Client, master: Client, visitor: Visitor, sign_in: Callable[[str], Visitor]
):
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    guest, again = sign_in(bob.token), sign_in(alice.token)
    texts = [each.get(page).text for each in (visitor, guest, again)]
    assert "with token initial" in texts[0]
    assert texts[1] != texts[0]
    assert "bob" in texts[1]
    assert texts[2] != texts[0]  # the forms of another session have another token
    assert again.post("/-/sign-out").status_code == 303


def test_the_page_follows_the_rights_of_its_viewer(alice: Client, master: Client, sign_in: Callable[[str], Visitor]):
    bob = new_user(master, "bob")
    guest = sign_in(bob.token)
    for access, may_edit in (("read", False), ("write", True), ("read", False)):
        alice.put("/v1/repo/demo/grants/bob", {"access": access})
        assert (f'href="{TARGET}/edit' in guest.get(TARGET).text) == may_edit
    alice.delete("/v1/repo/demo/grants/bob")
    assert guest.get(TARGET).status_code in (403, 404)


def test_a_message_is_shown_once(visitor: Visitor, explained: list[str]):
    visitor.get(TARGET)
    with visitor.client.session_transaction() as session:
        session["_flashes"] = [("message", "The target is as you wanted.")]
    assert "The target is as you wanted." in visitor.get(TARGET).text
    assert "The target is as you wanted." not in visitor.get(TARGET).text
    assert len(explained) == 2


def test_the_forms_of_a_kept_page_can_be_sent(visitor: Visitor):
    visitor.get(TARGET)
    page = visitor.get(TARGET).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert visitor.client.post("/-/sign-out", data={"csrf_token": token}).status_code == 303

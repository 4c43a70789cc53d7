"""Addresses and forms that no page of the server makes."""

import pytest

from tests.app.api.helpers import new_user
from tests.app.web.visitor import Visitor
from tests.client import Client

REPO = "/alice/demo"
API = "/v1/repo/demo"
FAR = "9" * 20


@pytest.fixture(autouse=True)
def things(alice: Client) -> None:
    alice.put(f"{API}/targets/t", {"template": "default", "overrides": {}}, X_Change_Reason="tempering")
    alice.put(f"{API}/prompts/p", {"messages": [{"role": "user", "content": "Hello"}]})
    alice.put(f"{API}/labels/production", {"ref": "main"})


@pytest.mark.parametrize(
    "address",
    [
        f"targets/t?offset={FAR}",
        f"targets/t?offset=-{FAR}",
        f"prompts?page={FAR}",
        f"prompts/p?offset={FAR}",
        f"labels?offset={FAR}",
        f"tree?from={FAR}",
    ],
)
def test_a_number_that_is_too_far_is_the_end(visitor: Visitor, address: str):
    assert visitor.get(f"{REPO}/{address}").status_code == 200


@pytest.mark.parametrize("kind", ["", "&kind=reasons"])
def test_a_search_goes_on_behind_no_commit_that_is_none(visitor: Visitor, kind: str):
    for address in (f"{REPO}/search?q=temper{kind}&after=zz", f"/-/search?q=temper{kind}&after=alice/demo/zz"):
        answer = visitor.get(address)
        assert answer.status_code == 404
        assert "zz" in answer.text


def test_the_history_of_a_label_ends_before_its_first_move(visitor: Visitor, alice: Client):
    first = alice.get(f"{API}/log").json["commits"][-1]["commit"]
    answer = alice.get(f"{API}/labels/production/history?before={first}")
    assert (answer.status_code, answer.json["moves"], answer.json["next"]) == (200, [], None)
    assert visitor.get(f"{REPO}/labels/production?before={first}").status_code == 200


def test_a_button_of_no_message_does_nothing(visitor: Visitor):
    answer = visitor.post(f"{REPO}/prompts/p/edit", do=f"message.remove.{'9' * 5000}")
    assert answer.status_code < 500


def test_a_guest_learns_of_no_user_by_protecting_a_label(alice: Client, master: Client, sign_in):
    bob = new_user(master, "bob")
    alice.put(f"{API}/grants/bob", {"access": "write"})
    guest = sign_in(bob.token)
    told = {
        guest.post(f"{REPO}/labels/production/protect", who="some", protected=name).status_code
        for name in ("alice", "nobody")
    }
    assert told == {403}


def test_who_may_not_delete_a_label_is_not_asked_whether_to(alice: Client, master: Client, sign_in):
    alice.put(f"{API}/labels/production", {"ref": "main", "protected": ["alice"]})
    bob = new_user(master, "bob")
    alice.put(f"{API}/grants/bob", {"access": "write"})
    assert sign_in(bob.token).get(f"{REPO}/labels/production/delete").status_code == 403


def test_the_lines_of_a_tags_message_end_as_in_git(visitor: Visitor, alice: Client):
    visitor.post(f"{REPO}/tags", name="v1", ref="main", message="one\r\ntwo")
    assert alice.get(f"{API}/tags/v1").json["message"] == "one\ntwo"

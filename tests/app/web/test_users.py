"""The users in the browser, for the master key: made, changed, removed, and their tokens."""

import re

import pytest

from tests.app.web.visitor import Visitor
from tests.client import Client

USERS = "/-/users"
SECRET = re.compile(r"bakehouse_[A-Za-z0-9_-]{43}")


def test_a_new_user_has_a_token_that_is_shown_once(operator: Visitor, master: Client):
    answer = operator.post(USERS, user_id="bob", user_alias="Bob", user_email="")
    assert answer.status_code == 201
    [secret] = set(SECRET.findall(answer.text))
    me = Client(operator.app, secret).get("/v1/me").json
    assert (me["user_id"], me["user_alias"], me["user_email"]) == ("bob", "Bob", None)
    assert secret not in operator.get(USERS).text
    assert secret not in operator.get(f"{USERS}/bob").text
    assert f'href="{USERS}/bob"' in operator.get(USERS).text
    assert master.get("/v1/admin/users/bob").json["tokens"] == 1


def test_mistakes_stand_at_the_fields_of_the_form(operator: Visitor, master: Client):
    answer = operator.post(USERS, user_id="-x", user_alias="Bob")
    assert answer.status_code == 422
    assert "This name must start with a letter or digit" in answer.text
    assert 'value="Bob"' in answer.text
    operator.post(USERS, user_id="bob")
    again = operator.post(USERS, user_id="bob")
    assert again.status_code == 409
    assert "User &#39;bob&#39; already exists." in again.text
    unportable = operator.post(USERS, user_id="con")
    assert unportable.status_code == 422
    assert master.get("/v1/admin/users").json["total"] == 1


def test_a_user_is_changed_and_namesakes_are_told(operator: Visitor, master: Client):
    for user_id in ("bob", "rob"):
        operator.post(USERS, user_id=user_id)
    answer = operator.post(f"{USERS}/bob", user_alias="Bob", user_email="b@example.org")
    assert (answer.status_code, answer.location) == (303, f"{USERS}/bob")
    page = operator.get(f"{USERS}/bob").text
    assert 'value="Bob"' in page
    assert "From now on, commits of bob show this name and address." in page
    operator.post(f"{USERS}/rob", user_alias="bob", user_email="B@example.org")
    assert "with the same name and address" in operator.get(f"{USERS}/rob").text
    assert master.get("/v1/admin/users/bob").json["user_alias"] == "Bob"
    operator.post(f"{USERS}/bob", user_alias="", user_email="")
    assert master.get("/v1/admin/users/bob").json["user_alias"] is None


def test_tokens_of_a_user_are_made_rotated_and_revoked(operator: Visitor, master: Client, alice: Client):
    made = operator.post(f"{USERS}/alice/tokens", name="ci", access="read")
    [secret] = set(SECRET.findall(made.text))
    assert Client(operator.app, secret).get("/v1/me").json["token"]["made_with"] is None
    assert "Rotate the token ci of user alice?" in operator.get(f"{USERS}/alice/tokens/ci/rotate").text
    [rotated] = set(SECRET.findall(operator.post(f"{USERS}/alice/tokens/ci/rotate").text))
    assert Client(operator.app, secret).get("/v1/me").status_code == 401
    assert Client(operator.app, rotated).get("/v1/me").status_code == 200
    answer = operator.post(f"{USERS}/alice/tokens/ci/revoke")
    assert (answer.status_code, answer.location) == (303, f"{USERS}/alice")
    assert Client(operator.app, rotated).get("/v1/me").status_code == 401
    assert alice.get("/v1/me").status_code == 200
    wrong = operator.post(f"{USERS}/alice/tokens", name="a b", access="read")
    assert wrong.status_code == 422
    assert 'value="Alice"' in wrong.text
    assert len(master.get("/v1/admin/users/alice/tokens").json["tokens"]) == 1


def test_a_user_is_removed_when_the_id_is_typed_and_no_repo_is_left(operator: Visitor, master: Client, alice: Client):
    address = f"{USERS}/alice/remove"
    assert "Remove the user alice?" in operator.get(address).text
    wrong = operator.post(address, typed="bob")
    assert wrong.status_code == 422
    assert "Type alice to confirm" in wrong.text
    owner = operator.post(address, typed="alice")
    assert owner.status_code == 409
    assert "User &#39;alice&#39; has repos: &#39;demo&#39;" in owner.text
    alice.delete("/v1/repo/demo")
    assert operator.post(address, typed="alice").location == USERS
    assert "User alice is removed, and 1 token revoked." in operator.get(USERS).text
    assert alice.get("/v1/me").status_code == 401
    assert master.get("/v1/admin/users/alice").status_code == 404


def test_many_users_are_listed_in_pages_and_found_by_a_part(operator: Visitor, master: Client):
    for number in range(55):
        master.post("/v1/admin/users", {"user_id": f"user{number:02}", "user_alias": f"<b>{number}"})
    page = operator.get(USERS).text
    assert (page.count('<th scope="row">'), "1 to 50 of 55." in page) == (50, True)
    assert "&lt;b&gt;1" in page
    assert "<b>" not in page
    [following] = re.findall(r'href="([^"]+)">Next', page)
    assert operator.get(following.replace("&amp;", "&")).text.count('<th scope="row">') == 5
    assert operator.get(f"{USERS}?q=USER07").text.count('<th scope="row">') == 1
    assert "No user is found so." in operator.get(f"{USERS}?q=nobody").text


@pytest.mark.parametrize("path", ["", "/alice", "/alice/remove", "/alice/tokens/initial/revoke"])
def test_only_the_master_key_manages_users(visitor: Visitor, alice: Client, path: str):
    for answer in (visitor.get(f"{USERS}{path}"), visitor.post(f"{USERS}{path}", user_id="x", typed="alice")):
        assert answer.status_code == 403
        assert "Only the master key may manage users." in answer.text
    assert alice.get("/v1/me").status_code == 200


def test_each_page_leads_to_the_settings_that_the_viewer_has(visitor: Visitor, operator: Visitor):
    assert f'href="{USERS}"' in operator.get("/").text
    assert f'href="{USERS}"' not in visitor.get("/").text
    assert 'href="/-/settings"' in visitor.get("/").text
    assert f'href="{USERS}"' in operator.get("/-/settings").text
    assert operator.get(f"{USERS}/nobody").status_code == 404

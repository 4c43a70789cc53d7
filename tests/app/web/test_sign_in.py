"""Signing in and out, and when a sign-in ends."""

from collections.abc import Callable

import pytest

from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.server import MASTER_KEY

TARGET = "/alice/demo/targets/a"


@pytest.fixture(autouse=True)
def a_target(alice: Client) -> None:
    alice.put("/v1/repo/demo/targets/a", {"template": "default", "overrides": {"temperature": 0.7}})


def test_a_stranger_sees_the_sign_in_and_nothing_else(stranger: Visitor):
    assert "Sign in" in stranger.get("/").text
    answer = stranger.get(f"{TARGET}?ref=main")
    assert answer.status_code == 303
    assert answer.location == "/-/sign-in?next=/alice/demo/targets/a?ref%3Dmain"


def test_the_sign_in_leads_to_the_page_that_was_asked_for(stranger: Visitor, alice: Client):
    answer = stranger.post(f"/-/sign-in?next={TARGET}", token=alice.token)
    assert (answer.status_code, answer.location) == (303, TARGET)
    page = stranger.get(TARGET)
    assert page.status_code == 200
    assert "own override" in page.text


@pytest.mark.parametrize("token", ["", "wrong", "bakehouse_" + "a" * 43])
def test_a_wrong_token_is_refused(stranger: Visitor, token: str):
    answer = stranger.post("/-/sign-in", token=token)
    assert answer.status_code == 401
    assert "This token is unknown, or was revoked." in answer.text
    assert stranger.get(TARGET).status_code == 303


def test_signing_out_ends_the_sign_in(visitor: Visitor):
    assert visitor.get(TARGET).status_code == 200
    assert visitor.post("/-/sign-out").status_code == 303
    assert visitor.get(TARGET).status_code == 303


def test_a_revoked_token_ends_its_sign_in(visitor: Visitor, alice: Client):
    assert visitor.get(TARGET).status_code == 200
    assert alice.delete("/v1/tokens/initial").status_code == 200
    answer = visitor.get(TARGET)
    assert answer.status_code == 303
    assert answer.location.startswith("/-/sign-in")


def test_the_master_key_opens_every_page(operator: Visitor):
    assert operator.get(TARGET).status_code == 200


def test_a_page_of_another_user_is_refused_as_in_the_api(master: Client, sign_in: Callable[[str], Visitor]):
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    answer = bob.get(TARGET)
    assert answer.status_code == 403
    assert "User &#39;alice&#39; has not shared repo &#39;demo&#39; with you." in answer.text


def test_what_is_not_there_is_told_on_a_page(visitor: Visitor):
    answer = visitor.get("/alice/demo/targets/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "nothing" in answer.text


def test_the_api_takes_no_cookie(visitor: Visitor):
    assert visitor.get("/v1/repo").status_code == 401


def test_a_form_without_the_token_of_a_page_is_refused(stranger: Visitor):
    answer = stranger.client.post("/-/sign-in", data={"token": MASTER_KEY})
    assert answer.status_code == 400
    assert stranger.get(TARGET).status_code == 303

"""Who may change targets in the browser, and what the others are told. `test_forged_forms` sends all forms."""

from collections.abc import Callable

import pytest

from tests.app.web.visitor import Visitor
from tests.client import Client

pytestmark = pytest.mark.usefixtures("target")

PAGES = [f"/alice/demo/{page}" for page in ("new", "sweep", "default/edit")]
OF_A = [f"/alice/demo/targets/a/{page}" for page in ("edit", "edit?as=yaml", "delete", "rebase")]


def test_a_token_for_reading_sees_no_form(reader: Visitor):
    assert reader.get("/alice/demo/targets/a").status_code == 200
    for page in (*PAGES, *OF_A):
        answer = reader.get(page)
        assert (page, answer.status_code) == (page, 403)
        assert "is for reading only" in answer.text


def test_the_past_cannot_be_changed(visitor: Visitor):
    for page in (*PAGES, *OF_A):
        answer = visitor.get(f"{page}{'&' if '?' in page else '?'}ref=main")
        assert (page, answer.status_code) == (page, 409)
        assert "is past, and stays" in answer.text


def test_what_is_not_there_cannot_be_changed(visitor: Visitor):
    for page in OF_A:
        answer = visitor.get(page.replace("/a/", "/none/"))
        assert (page, answer.status_code) == (page, 404)


def test_a_guest_changes_only_what_was_shared_for_writing(
    master: Client, target: Client, sign_in: Callable[[str], Visitor]
):
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    for access, status in ((None, 403), ("read", 403), ("write", 200)):
        if access is not None:
            target.put("/v1/repo/demo/grants/bob", {"access": access})
        for page in (*PAGES, *OF_A):
            assert (access, page, bob.get(page).status_code) == (access, page, status)

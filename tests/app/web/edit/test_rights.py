"""Who may change targets in the browser, and what the others are told."""

import pytest

from tests.app.web.visitor import Visitor
from tests.client import Client

pytestmark = pytest.mark.usefixtures("target")

PAGES = ["new", "sweep", "targets/a/edit", "targets/a/delete", "targets/a/rebase"]
FORMS = [*PAGES, "new/preview", "targets/a/edit/preview", "targets/a/edit/merge"]


@pytest.mark.parametrize("page", PAGES)
def test_a_token_for_reading_sees_no_form(reader: Visitor, page: str):
    assert reader.get("/alice/demo/targets/a").status_code == 200
    answer = reader.get(f"/alice/demo/{page}")
    assert answer.status_code == 403
    assert "is for reading only" in answer.text


@pytest.mark.parametrize("form", FORMS)
def test_a_token_for_reading_sends_no_form(target: Client, reader: Visitor, form: str):
    before = target.get("/v1/repo/demo/log").json["commits"][0]["commit"]
    assert reader.post(f"/alice/demo/{form}").status_code == 403
    assert target.get("/v1/repo/demo/log").json["commits"][0]["commit"] == before


@pytest.mark.parametrize("form", FORMS)
def test_a_form_without_the_token_of_a_page_is_refused(visitor: Visitor, form: str):
    assert visitor.client.post(f"/alice/demo/{form}", data={}).status_code == 400


@pytest.mark.parametrize("page", PAGES)
def test_the_past_cannot_be_changed(visitor: Visitor, page: str):
    answer = visitor.get(f"/alice/demo/{page}?ref=main")
    assert answer.status_code == 409
    assert "is past, and stays" in answer.text


@pytest.mark.parametrize("page", ["targets/none/edit", "targets/none/delete", "targets/none/rebase"])
def test_what_is_not_there_cannot_be_changed(visitor: Visitor, page: str):
    assert visitor.get(f"/alice/demo/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_a_guest_changes_only_what_was_shared_for_writing(master: Client, target: Client, sign_in, page: str):
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    assert bob.get(f"/alice/demo/{page}").status_code == 403
    target.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert bob.get("/alice/demo/targets/a").status_code == 200
    assert bob.get(f"/alice/demo/{page}").status_code == 403
    target.put("/v1/repo/demo/grants/bob", {"access": "write"})
    assert bob.get(f"/alice/demo/{page}").status_code == 200

"""A prompt is edited in the browser: buttons change the form in place, and without scripts by the server."""

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import Faults
from tests.browser.conftest import NewPage
from tests.browser.visits import sign_in
from tests.e2e.conftest import User, new_user
from tests.server import Server

PROMPT = "/v1/repo/demo/prompts/p"


@pytest.fixture
def user(server: Server) -> User:
    user = new_user(server)
    messages = [{"role": "system", "content": "Bake."}, {"role": "user", "content": "Why?"}]
    user.call("PUT", PROMPT, {"messages": messages})
    return user


@pytest.mark.parametrize("mode", ["light", "without script"])
def test_messages_are_added_moved_and_removed(server: Server, new_page: NewPage, user: User, mode: str):
    page = new_page(mode)
    sign_in(page, server, user.token)
    page.goto(f"{server.url}/{user.id}/demo/prompts/p/edit")
    page.get_by_label("Why", exact=True).fill("Shorter")
    page.get_by_role("button", name="Add a message").click()
    last = page.get_by_role("group", name="Message 3")
    last.get_by_label("Role").fill("assistant")
    last.get_by_label("Content", exact=True).fill("Because.\nTruly.")
    page.get_by_role("button", name="Move up message 3").click()
    page.get_by_role("button", name="Remove message 1").click()
    page.get_by_role("group", name="Message 3").wait_for(state="detached")
    page.get_by_label("Tools").fill('[{"type": "function"}]')
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("status").wait_for()
    assert user.call("GET", PROMPT) == {
        "prompt_name": "p",
        "messages": [{"role": "assistant", "content": "Because.\nTruly."}, {"role": "user", "content": "Why?"}],
        "tools": [{"type": "function"}],
    }


def test_a_button_that_the_server_refuses_for_a_moment_saves_nothing(
    server: Server, page: Page, faults: Faults, user: User
):
    sign_in(page, server, user.token)
    page.goto(f"{server.url}/{user.id}/demo/prompts/p/edit")
    before = user.call("GET", PROMPT)
    page.get_by_role("group", name="Message 1").get_by_label("Content", exact=True).fill("Not yet to be saved")
    page.route("**/prompts/p/edit", lambda route: route.fulfill(status=503, body="busy"), times=1)
    page.get_by_role("button", name="Add a message").click()
    page.get_by_role("group", name="Message 3").wait_for()
    faults.take("status of 503")
    first = page.get_by_role("group", name="Message 1").get_by_label("Content", exact=True)
    assert first.input_value() == "Not yet to be saved"
    assert user.call("GET", PROMPT) == before


def test_both_sides_of_a_conflict_are_shown_and_merged(server: Server, page: Page, faults: Faults, user: User):
    sign_in(page, server, user.token)
    page.goto(f"{server.url}/{user.id}/demo/prompts/p/edit")
    page.get_by_role("group", name="Message 1").get_by_label("Content", exact=True).fill("Bake bread.")
    theirs = [{"role": "system", "content": "Bake cake."}, {"role": "user", "content": "Why not?"}]
    user.call("PUT", PROMPT, {"messages": theirs})
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("row", name="messages.1.content Bake. Bake cake. Bake bread.").get_by_label("yours").check()
    faults.take("the server responded with a status of 412")
    page.get_by_role("button", name="Save both changes together").click()
    page.get_by_role("status").wait_for()
    assert [each["content"] for each in user.call("GET", PROMPT)["messages"]] == ["Bake bread.", "Why not?"]

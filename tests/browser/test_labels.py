"""A label is moved and moved back, in the browser, and somebody else was faster once."""

from playwright.sync_api import Page

from tests.browser.chromium import Faults
from tests.browser.visits import sign_in
from tests.e2e.conftest import User, new_user
from tests.server import Server

LABEL = "/v1/repo/demo/labels/production"


def put(user: User, temperature: float) -> None:
    user.call("PUT", "/v1/repo/demo/targets/a", {"template": "default", "overrides": {"temperature": temperature}})


def test_a_label_is_moved_and_put_back_and_a_conflict_loses_nothing(server: Server, page: Page, faults: Faults):
    user = new_user(server)
    put(user, 0.5)
    user.call("PUT", LABEL, {"ref": "main", "reason": "The first"})
    first = user.call("GET", LABEL)["commit"]
    put(user, 0.75)
    sign_in(page, server, user.token)
    page.goto(f"{server.url}/{user.id}/demo/labels")
    page.get_by_role("link", name="production").click()
    page.get_by_label("Move it to").fill("main")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("row", name="temperature 0.5 0.75").wait_for()
    page.get_by_label("Why").fill("Warmer")
    user.call("PUT", LABEL, {"ref": "main", "reason": "I was faster"})
    put(user, 0.9)
    page.get_by_role("button", name="Move it").click()
    assert "I was faster" in page.get_by_role("alert").inner_text()
    faults.take("the server responded with a status of 412")
    assert page.get_by_label("Why").input_value() == "Warmer"
    assert user.call("GET", LABEL)["commit"] != first
    page.get_by_role("navigation", name="Where you are").get_by_role("link", name="production").click()
    page.get_by_role("link", name="put it back there").click()
    page.get_by_label("Why").fill("It was better")
    page.get_by_role("button", name="Move it").click()
    page.get_by_role("status").wait_for()
    assert user.call("GET", LABEL)["commit"] == first
    assert "It was better" in page.locator("ol.timeline li").first.inner_text()

"""An auditor asks in a browser where a value comes from, finds who put it there, and puts it back."""

from playwright.sync_api import Page

from tests.browser.axe import axe
from tests.e2e.conftest import User, new_user
from tests.server import Server

TARGETS = "/v1/repo/demo/targets"


def put(user: User, name: str, template: str, reason: str, **overrides: object) -> None:
    body = {"template": template, "overrides": overrides}
    user.call("PUT", f"{TARGETS}/{name}", body, X_Change_Reason=reason)


def make_history(user: User) -> None:
    put(user, "base", "default", "A calm teacher", temperature=0.7)
    put(user, "nightly", "base", "Short answers at night", max_tokens=200)
    user.call("PUT", "/v1/repo/demo/labels/production", {"ref": "main"})
    put(user, "nightly", "base", "Nobody reads so much", max_tokens=9000)


def sign_in_from(page: Page, address: str, token: str) -> None:
    page.goto(address)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_from_the_sign_in_to_the_put_back(server: Server, page: Page):
    user = new_user(server)
    make_history(user)
    sign_in_from(page, f"{server.url}/", user.token)
    page.get_by_role("link", name="demo").first.click()
    page.get_by_role("link", name="nightly", exact=True).first.click()

    row = page.get_by_role("row").filter(has_text="max_tokens")
    assert "9000" in row.inner_text()
    assert "own override" in row.inner_text()
    row.locator("summary").click()
    assert "Nobody reads so much" in row.inner_text()
    calm = page.get_by_role("row").filter(has_text="temperature")
    assert "from base" in calm.inner_text()
    calm.locator("summary").click()
    assert "A calm teacher" in calm.inner_text()
    assert "1.0 default" in " ".join(calm.inner_text().split())
    axe(page)

    page.get_by_role("link", name="production").click()
    assert "200" in page.get_by_role("row").filter(has_text="max_tokens").inner_text()
    page.get_by_role("link", name="See it as it is now").click()
    page.get_by_role("navigation", name="This repo").get_by_role("link", name="History").click()
    asked = page.locator("li").filter(has_text="Short answers at night").last
    asked.get_by_role("link", name="compare with now").click()
    changed = " ".join(page.get_by_role("row").filter(has_text="max_tokens").inner_text().split())
    assert "200" in changed
    assert "9000" in changed
    page.go_back()

    page.locator("li").filter(has_text="Short answers at night").last.get_by_role("link", name="put back").click()
    assert "9000" in page.get_by_role("row").filter(has_text="max_tokens").inner_text()
    page.get_by_label("Why").fill("An hour of reading each night is too much")
    page.get_by_role("button", name="Put back").click()
    page.get_by_role("status").wait_for()
    assert user.call("GET", f"{TARGETS}/nightly")["config"]["max_tokens"] == 200
    last = user.call("GET", "/v1/repo/demo/log")["commits"][0]
    assert last["reason"] == "An hour of reading each night is too much"
    assert last["author"]["user"] == user.id

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{server.url}/{user.id}/demo")
    page.get_by_label("Token").wait_for()


def test_a_revoked_token_ends_the_visit_at_the_next_click(server: Server, page: Page):
    user = new_user(server)
    make_history(user)
    address = f"{server.url}/{user.id}/demo/targets/nightly"
    sign_in_from(page, address, user.token)
    assert page.url == address
    user.call("DELETE", "/v1/tokens/initial")
    page.get_by_role("link", name="History").first.click()
    page.get_by_label("Token").wait_for()

"""Find something from the header; hand out a token and take it back; share a repo, delete it, and restore it."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Kitchen
from tests.browser.visits import NewPage, sign_in
from tests.e2e.conftest import User, call
from tests.server import MASTER_KEY


def new_user(kitchen: Kitchen, user_id: str) -> User:
    """Return a user of the server with an empty repo `demo`."""
    made = call(kitchen.server, MASTER_KEY, "POST", "/v1/admin/users", {"user_id": user_id})
    user = User(kitchen.server, user_id, made["api_key"])
    user.call("POST", "/v1/repo", {"repo_name": "demo"})
    return user


def test_a_search_from_the_header_leads_to_what_was_found(kitchen: Kitchen, new_page: NewPage):
    for mode in ("phone", "without script"):
        page = new_page(mode)
        sign_in(page, kitchen.server, kitchen.rich.user.token)
        page.get_by_role("searchbox", name="Search in all repos").fill("ANSWER IN ONE")
        page.get_by_role("searchbox").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Search for ANSWER IN ONE")
        expect(page.locator("mark").first).to_have_text("answer in one")
        page.get_by_role("searchbox").fill("weekly")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="nightly").click()
        expect(page).to_have_url(re.compile("/alice/demo/targets/nightly$"))
        page.get_by_role("searchbox", name="Search in demo").fill("x")
        page.get_by_role("searchbox").press("Enter")
        expect(page.get_by_text("Type 2 characters or more")).to_be_visible()


def test_a_token_is_made_shown_once_and_revoked_while_somebody_uses_it(kitchen: Kitchen, page: Page, new_page: NewPage):
    sign_in(page, kitchen.server, new_user(kitchen, "tessa").token)
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name").fill("ci")
    page.get_by_label("Access").select_option("read")
    page.get_by_label("Last day").fill("2099-12-31")
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator("#secret").inner_text().strip()
    other = new_page("phone")
    sign_in(other, kitchen.server, secret)
    other.goto(f"{kitchen.server.url}/tessa/demo/settings")
    expect(other.get_by_text("The token 'ci' is for reading only.").first).to_be_visible()
    page.get_by_role("link", name="I have it").click()
    expect(page.locator("body")).not_to_contain_text(secret)
    page.get_by_role("link", name="Revoke ci").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_have_text("The token ci is revoked.")
    other.reload()
    expect(other).to_have_url(re.compile("/-/sign-in"))


def test_a_repo_is_shared_renamed_deleted_and_restored(kitchen: Kitchen, page: Page):
    user = new_user(kitchen, "ria")
    sign_in(page, kitchen.server, user.token)
    page.goto(f"{kitchen.server.url}/ria/demo/settings")
    page.get_by_label("User").fill("alice")
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("row", name="alice")).to_contain_text("read")
    page.get_by_role("button", name="Let them write").click()
    expect(page.get_by_role("row", name="alice")).to_contain_text("write")
    page.get_by_label("New name").fill("cakes")
    page.get_by_role("button", name="Rename").click()
    expect(page).to_have_url(re.compile("/ria/cakes/settings$"))
    page.get_by_label("Name of the repo").fill("cakes")
    page.get_by_role("button", name="Delete the repo").click()
    expect(page.get_by_role("heading", name="cakes", exact=True)).to_be_visible()
    page.get_by_role("button", name="Restore cakes").click()
    expect(page.get_by_role("status")).to_have_text("cakes is restored.")
    assert user.call("GET", "/v1/repo/cakes/grants")["grants"] == [{"user_id": "alice", "access": "write"}]

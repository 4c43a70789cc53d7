"""The table of targets in a browser: sorted, filtered, and shared by its address."""

import re

from playwright.sync_api import Page, expect

from tests.browser.axe import axe
from tests.browser.chromium import Faults
from tests.browser.conftest import Kitchen
from tests.browser.visits import NewPage, sign_in, too_wide


def names(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("table tbody th").all_text_contents()]


def test_a_view_of_the_table_is_chosen_by_hand_and_shared_by_its_address(
    kitchen: Kitchen, page: Page, new_page: NewPage, faults: Faults
):
    user, owner = kitchen.rich.user, kitchen.rich.names["owner"]
    sign_in(page, user.server, user.token)
    page.get_by_role("link", name="demo", exact=True).click()
    page.get_by_role("textbox", name="Where").fill("temperature>0.3")
    page.get_by_text("Templates and columns").click()
    page.get_by_role("checkbox", name="model_name").uncheck()
    page.get_by_role("textbox", name="Other fields").fill("extra_kwargs.season")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("thead")).to_contain_text("extra_kwargs.season")
    page.get_by_role("link", name="temperature", exact=True).click()
    page.get_by_role("link", name="temperature", exact=True).click()
    expect(page.locator("[aria-sort=descending]")).to_have_text(re.compile("temperature"))
    found = names(page)
    assert (found[0], found[-1], len(found)) == ("sweep_59", "sweep_31", 30)
    assert "model_name" not in page.locator("thead").inner_text()
    axe(page)

    other = new_page("phone")
    sign_in(other, user.server, user.token)
    other.goto(page.url)
    assert names(other) == found
    assert too_wide(other) == []
    axe(other)

    page.get_by_role("link", name="Show all").click()
    assert len(names(page)) == 63
    page.get_by_role("textbox", name="Where").fill("temperatur>1")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#where-error")).to_contain_text("did you mean 'temperature'?")
    faults.take("status of 422")
    page.get_by_role("navigation", name="Where you are").get_by_role("link", name=owner).click()
    expect(page.get_by_role("heading", name="Your repos")).to_be_visible()

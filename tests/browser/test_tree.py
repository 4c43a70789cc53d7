"""The family tree in a browser: by mouse, by keyboard, on a phone, and as a file."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Kitchen, NewPage
from tests.browser.visits import sign_in


def open_tree(page: Page, kitchen: Kitchen) -> None:
    sign_in(page, kitchen.server, kitchen.rich.user.token)
    page.goto(f"{kitchen.server.url}/alice/demo/tree")


def test_a_fold_opens_and_a_box_leads_to_its_target(page: Page, kitchen: Kitchen):
    open_tree(page, kitchen)
    picture = page.locator("svg.tree-picture")
    expect(picture.get_by_text("drifted", exact=True).first).to_be_visible()
    assert picture.get_by_text("sweep_59").count() == 0
    picture.get_by_role("link", name="+ 37 more below nightly").click()
    expect(picture.get_by_text("sweep_59", exact=True)).to_be_attached()
    picture.get_by_text("nightly", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("nightly")


def test_the_keyboard_reaches_the_boxes_in_the_order_of_the_picture(page: Page, kitchen: Kitchen):
    open_tree(page, kitchen)
    page.get_by_role("region", name="The picture, which scrolls").focus()
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.querySelector('text').textContent"))
    assert reached == ["default", "base", "nightly", "asking"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("asking")


def test_a_phone_shows_the_list_alone(new_page: NewPage, kitchen: Kitchen):
    page = new_page("phone")
    open_tree(page, kitchen)
    expect(page.locator("svg.tree-picture")).to_be_hidden()
    entry = page.locator(".family li").filter(has=page.get_by_role("link", name="sweep_01", exact=True)).last
    entry.get_by_text("overrides temperature", exact=True).click()
    expect(entry.locator(".values")).to_have_text("temperature: 0.01")
    expect(entry.locator(".values")).to_be_visible()


def test_the_picture_as_a_file_is_a_picture_without_the_server(page: Page, kitchen: Kitchen, tmp_path: Path):
    open_tree(page, kitchen)
    with page.expect_download() as found:
        page.get_by_role("link", name="Save as SVG").click()
    file = tmp_path / found.value.suggested_filename
    found.value.save_as(file)
    assert file.name == "demo-tree.svg"
    page.goto(file.as_uri())
    box = page.locator(".drifted rect").first
    expect(box).to_be_visible()
    assert box.evaluate("box => getComputedStyle(box).fill") == "rgb(252, 239, 207)"

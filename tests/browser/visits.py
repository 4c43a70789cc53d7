"""A person with a browser: signs in, goes to pages, and sees what is wrong with them."""

import urllib.error
import urllib.request

from playwright.sync_api import Page

from tests.browser.axe import findings
from tests.server import Server

_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def sign_in(page: Page, server: Server, token: str) -> None:
    """Sign in with a token, or the master key, as a person does."""
    page.goto(f"{server.url}/-/sign-in")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def kind(page: Page, url: str) -> tuple[int, str]:
    """Return the status and media type of an answer to somebody with the cookies of a page, without its content."""
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies())
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Cookie": cookies}), timeout=60) as answer:
            return answer.status, answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get_content_type()


def look_at(page: Page, url: str) -> list[str]:
    """Go to a page, and return what is wrong with it for people who see little, or have a narrow screen."""
    page.goto(url)
    found = findings(page)
    if wider := page.evaluate(_WIDER):
        found.append(f"{url}: is {wider} pixels wider than the screen")
    if (headings := page.locator("h1").count()) != 1:
        found.append(f"{url}: has {headings} headings of the first level")
    return found

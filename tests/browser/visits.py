"""A person with a browser: signs in, goes to pages, and sees what is wrong with them."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from playwright.sync_api import Page

from tests.browser.axe import findings
from tests.browser.rich_repo import RichRepo
from tests.server import MASTER_KEY, Server

NewPage = Callable[..., Page]

_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def sign_in(page: Page, server: Server, token: str) -> None:
    """Sign in with a token, or the master key, as a person does."""
    page.goto(f"{server.url}/-/sign-in")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def tour(
    new_page: NewPage, mode: str, rich: RichRepo, addresses: Iterable[str], *kinds: str
) -> Iterator[tuple[Page, str]]:
    """Yield the addresses of some media types, with a page of who may see each: the repo's owner, or the operator."""
    owner, operator = new_page(mode), new_page(mode)
    sign_in(owner, rich.user.server, rich.user.token)
    sign_in(operator, rich.user.server, MASTER_KEY)
    for address in addresses:
        url = rich.user.server.url + address
        page, (status, kind) = owner, ask(owner, url)
        if status == 403:
            page, (status, kind) = operator, ask(operator, url)
        assert status == 200, f"{address}: {status}; see `NAMES` in page_routes.py"
        if kind in kinds:
            yield page, url


def ask(page: Page, url: str) -> tuple[int, str]:
    """Return the status and media type of an answer to somebody with the cookies of a page, without its content."""
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies())
    request = urllib.request.Request(url, headers={"Cookie": cookies, "Accept": "text/html"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            is_file = answer.headers.get_content_disposition() == "attachment"
            return answer.status, "a file" if is_file else answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get_content_type()


def look_at(page: Page, url: str, **options: Any) -> list[str]:
    """Go to a page, and return what is wrong with it for people who see little, or have a narrow screen.

    `options` are those of axe.
    """
    page.goto(url)
    found = findings(page, **options)
    found += too_wide(page)
    if (headings := page.locator("h1").count()) != 1:
        found.append(f"{url}: has {headings} headings of the first level")
    return found


def too_wide(page: Page) -> list[str]:
    """Return a fault if a page can be moved sideways."""
    wider = page.evaluate(_WIDER)
    return [f"{page.url}: is {wider} pixels wider than the screen"] if wider else []

"""Texts that would be script or markup show as text, on every page, and in what pages repeat of their address."""

import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

import pytest
from playwright.sync_api import Page
from werkzeug.routing import Rule

from tests import page_routes
from tests.browser import rich_repo
from tests.browser.chromium import Faults
from tests.browser.conftest import Kitchen
from tests.browser.rich_repo import RichRepo, Texts
from tests.browser.visits import NewPage, ask, sign_in, too_wide, tour
from tests.replies import completion

pytestmark = pytest.mark.slow

_MARKUP = (
    "<script>window.burnt=1</script>\"><img src=x onerror='window.burnt=2'>'><svg onload=window.burnt=3>"
    '<a href="javascript:window.burnt=4">a</a>javascript:window.burnt=5 {{1337*3}} {%raw%}${1337*3} <!-- '
    "</style></title></textarea></script>]]>" + "w" * 300
)
_LINES = _MARKUP + "\u202etxt.exe\u2066\n\n<script>window.burnt=6</script>\t"
_TEXTS = Texts(
    alias=f"alias {_MARKUP}",
    prompt=f"prompt {_LINES}",
    value=f"value {_LINES}",
    reason=f"reason {_MARKUP}",
    question=f"question {_LINES}",
    message=f"message {_LINES}",
    model=f"model {_MARKUP}",
)
_ON_PAGES = ("alias", "prompt", "value", "reason", "question", "message", "model")
_SHORT = "\"'><img src=x onerror='window.burnt=7'><script>window.burnt=8<script>{{1337*3}}" + "w" * 80
_REPEATED = "&".join(f"{name}={quote(_SHORT)}" for name in ("ref", "q", "where", "sort", "field", "fields", "offset"))
# What a text made in a page: scripts, images, handlers of events, links that are scripts, and what ran.
_MADE = """() => [...document.querySelectorAll('*')].filter(element =>
    element.matches('img, iframe, object, embed, base')
    || element.matches('script') && !element.src.startsWith(location.origin + '/-/static/')
    || [...element.attributes].some(found => /^on/i.test(found.name) || /^\\s*javascript:/i.test(found.value))
).map(element => element.outerHTML).concat('burnt' in window ? ['a script ran: ' + window.burnt] : [])"""
_SHOWN = """() => document.documentElement.innerText
    + [...document.querySelectorAll('input, textarea')].map(field => field.value).join()"""


@pytest.fixture(scope="module")
def hostile(kitchen: Kitchen) -> Iterator[RichRepo]:
    """A repo whose every text is markup, and whose model answers with markup."""
    kitchen.proxy.rule = lambda _: completion(f"answer {_LINES}")
    yield rich_repo.make(kitchen.server, "mallory", _TEXTS)
    kitchen.proxy.rule = None


def test_no_text_of_a_repo_becomes_markup(hostile: RichRepo, routes: list[Rule], new_page: NewPage):
    found, shown = [], ""
    addresses = page_routes.addresses(routes, hostile.names)
    for page, url in tour(new_page, "phone", hostile, addresses, "text/html", "image/svg+xml"):
        page.goto(url)
        found += _faults(page)
        shown += page.evaluate(_SHOWN)
    assert found == [], "\n" + "\n".join(found)
    assert [name for name in _ON_PAGES if f"{name} <script>window.burnt=1</script>" not in shown] == []


def test_no_text_of_an_address_becomes_markup(kitchen: Kitchen, routes: list[Rule], new_page: NewPage, faults: Faults):
    page, names, found = new_page("phone"), kitchen.rich.names, []
    sign_in(page, kitchen.server, kitchen.rich.user.token)
    addresses = [f"{page_routes.address(rule, names)}?{_REPEATED}" for rule in routes]
    for rule in routes:
        with suppress(ValueError):  # a number, or one of some words
            addresses.append(page_routes.address(rule, names | dict.fromkeys(_last_name(rule), _SHORT)))
    for address in addresses:
        status, kind = ask(page, kitchen.server.url + address)
        assert status < 500, address
        if kind in ("text/html", "image/svg+xml"):
            page.goto(kitchen.server.url + address)
            found += _faults(page)
    faults.take("the server responded with a status of 4")
    assert found == [], "\n" + "\n".join(found)


def _last_name(rule: Rule) -> list[str]:
    """Return the name at the end of an address, which the page is about; none where there is no name."""
    return re.findall(r"(\w+)>", rule.rule)[-1:]


def _faults(page: Page) -> list[str]:
    """Return what a text did to a page."""
    found = [*page.evaluate(_MADE), *(["a template ran"] if "4011" in page.content() else [])]
    return [f"{page.url}: {fault}" for fault in found] + too_wide(page)

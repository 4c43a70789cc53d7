"""Every page, as people see it: in light and dark, on a phone, and without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from app import create_app
from app.settings import Settings
from tests import page_routes
from tests.browser.conftest import Kitchen, NewPage
from tests.browser.visits import kind, look_at, sign_in
from tests.server import MASTER_KEY

pytestmark = pytest.mark.slow

# What pages of some addresses need to show something.
_QUERIES = {"search": "q=bread"}
_TEXT = "[...document.querySelectorAll('main')].map(main => main.innerText).join('\\n').split('\\n').map(l => l.trim())"


@pytest.fixture(scope="module")
def addresses(kitchen: Kitchen, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The addresses of all pages, for the rich repo."""
    app = create_app(Settings(tmp_path_factory.mktemp("routes"), master_key=MASTER_KEY))
    paths = [page_routes.address(rule, kitchen.rich.names) for rule in page_routes.rules(app, "GET")]
    queries = [_QUERIES.get(path.rpartition("/")[2], "") for path in paths]
    return [f"{path}?{query}".rstrip("?") for path, query in zip(paths, queries, strict=True)]


def visited(pages: tuple[Page, Page], kitchen: Kitchen, addresses: list[str]) -> Iterator[tuple[Page, str]]:
    """Yield each page of HTML, with the browser of who may see it: the user, or else the operator."""
    user, operator = pages
    sign_in(user, kitchen.server, kitchen.rich.user.token)
    sign_in(operator, kitchen.server, MASTER_KEY)
    for address in addresses:
        url = kitchen.server.url + address
        page, (status, media_type) = user, kind(user, url)
        if status == 403:
            page, (status, media_type) = operator, kind(operator, url)
        assert status == 200, f"{address}: {status}; see `NAMES` in rich_repo.py"
        if media_type == "text/html":
            yield page, url


@pytest.mark.parametrize("mode", ["light", "dark", "phone"])
def test_every_page_is_sound(mode: str, kitchen: Kitchen, addresses: list[str], new_page: NewPage):
    pages = new_page(mode), new_page(mode)
    found = [fault for page, url in visited(pages, kitchen, addresses) for fault in look_at(page, url)]
    assert found == [], "\n" + "\n".join(found)


def test_every_page_says_the_same_without_scripts(kitchen: Kitchen, addresses: list[str], new_page: NewPage):
    pages, without = (new_page(), new_page()), new_page("without script")
    missing = []
    for page, url in visited(pages, kitchen, addresses):
        page.goto(url)
        without.context.add_cookies(page.context.cookies())
        without.goto(url)
        missing += [f"{url}: {line}" for line in page.evaluate(_TEXT) if line not in set(without.evaluate(_TEXT))]
    assert missing == [], "\n" + "\n".join(missing)

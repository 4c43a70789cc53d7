"""Every page, as people see it: in light and dark, on a phone, and without scripts."""

import pytest
from werkzeug.routing import Rule

from tests import page_routes
from tests.browser.conftest import Kitchen
from tests.browser.visits import NewPage, look_at, tour

pytestmark = pytest.mark.slow

_LINES = "[...document.querySelectorAll('main')].flatMap(main => main.innerText.split('\\n')).map(line => line.trim())"


@pytest.mark.parametrize("mode", ["light", "dark", "phone"])
def test_every_page_is_sound(mode: str, kitchen: Kitchen, routes: list[Rule], new_page: NewPage):
    addresses = page_routes.addresses(routes, kitchen.rich.names)
    found = [
        fault
        for page, url in tour(new_page, mode, kitchen.rich, addresses, "text/html")
        for fault in look_at(page, url)
    ]
    assert found == [], "\n" + "\n".join(found)


def test_every_page_says_the_same_without_scripts(kitchen: Kitchen, routes: list[Rule], new_page: NewPage):
    missing, without = [], new_page("without script")
    addresses = page_routes.addresses(routes, kitchen.rich.names)
    for page, url in tour(new_page, "light", kitchen.rich, addresses, "text/html"):
        page.goto(url)
        without.context.add_cookies(page.context.cookies())
        without.goto(url)
        missing += [f"{url}: {line}" for line in page.evaluate(_LINES) if line not in set(without.evaluate(_LINES))]
    assert missing == [], "\n" + "\n".join(missing)

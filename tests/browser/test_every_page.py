"""Every page, as people see it: in light and dark, on a phone, and without scripts."""

from typing import Any

import pytest
from werkzeug.routing import Rule

from tests import page_routes
from tests.browser.conftest import Kitchen
from tests.browser.visits import NewPage, look_at, tour

pytestmark = pytest.mark.slow

# The colours differ in the dark; what else axe looks at is the same there. A phone has the colours of a wide screen.
_RULES: dict[str, dict[str, Any]] = {
    "dark": {"runOnly": ["color-contrast"]},
    "phone": {"rules": {"color-contrast": {"enabled": False}}},
}
_LINES = "[...document.querySelectorAll('main')].flatMap(main => main.innerText.split('\\n')).map(line => line.trim())"


@pytest.mark.parametrize("mode", ["dark", "phone"])
def test_every_page_is_sound(mode: str, kitchen: Kitchen, routes: list[Rule], new_page: NewPage):
    addresses, found = page_routes.addresses(routes, kitchen.rich.names), []
    for page, url in tour(new_page, mode, kitchen.rich, addresses, "text/html"):
        found += look_at(page, url, **_RULES[mode])
    assert found == [], "\n" + "\n".join(found)


def test_every_page_is_sound_in_the_light_and_says_the_same_without_scripts(
    kitchen: Kitchen, routes: list[Rule], new_page: NewPage
):
    addresses, found, without = page_routes.addresses(routes, kitchen.rich.names), [], new_page("without script")
    for page, url in tour(new_page, "light", kitchen.rich, addresses, "text/html"):
        found += look_at(page, url)
        without.context.add_cookies(page.context.cookies())
        without.goto(url)
        lines = set(without.evaluate(_LINES))
        found += [f"{url}: not without scripts: {line}" for line in page.evaluate(_LINES) if line not in lines]
    assert found == [], "\n" + "\n".join(found)

"""Look for what keeps people from using a page, with axe."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests import node

_GRAVE = ("serious", "critical")
_RUN = "options => axe.run(document, {resultTypes: ['violations'], ...options}).then(found => found.violations)"


def axe(page: Page) -> None:
    """Fail if axe finds something serious or critical on a page, as it is shown now."""
    found = findings(page)
    assert found == [], "\n" + "\n".join(found)


def findings(page: Page, **options: Any) -> list[str]:
    """Return what axe finds that is serious or critical: each rule, with the elements that break it.

    `options` are those of `axe.run`, such as the rules that are looked at.
    """
    page.evaluate(_script())
    return [_describe(page.url, rule) for rule in page.evaluate(_RUN, options) if rule["impact"] in _GRAVE]


@cache
def _script() -> str:
    return (node.installed(Path(__file__).parent / "axe_core") / "node_modules/axe-core/axe.min.js").read_text()


def _describe(url: str, rule: dict[str, Any]) -> str:
    places = [f"    {place['target']} {place['html']}\n    {place['failureSummary']}" for place in rule["nodes"]]
    return "\n".join([f"{url}: {rule['impact']}: {rule['id']}: {rule['help']}", *places])

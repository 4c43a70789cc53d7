"""The page of the API: every operation, answers that the server gave, and each error once."""

import json
import re
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page

from tests.answers.recording import FILE
from tests.browser.conftest import NewPage
from tests.server import Server

_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Of each kind of answer one: JSON that is long, text, lines, and of each method one.
_OPENED = ("explain_target", "create_target", "put_label", "delete_grant", "get_repo_diff", "get_rollout_rows")


def open_operation(page: Page, operation_id: str) -> Locator:
    operation = page.locator(f".opblock[id$='-{operation_id}']")
    operation.locator(".opblock-summary-control").click()
    operation.locator(".responses-wrapper").wait_for()
    return operation


def document(server: Server) -> Any:
    with urllib.request.urlopen(f"{server.url}/openapi.json") as response:
        return json.load(response)


def test_every_operation_is_shown(server: Server, page: Page):
    page.goto(f"{server.url}/docs")
    page.locator(".opblock").first.wait_for()
    shown = page.locator(".opblock-summary-description").all_inner_texts()
    summaries = [operation["summary"] for item in document(server)["paths"].values() for operation in item.values()]
    assert len(summaries) > 20
    assert sorted(shown) == sorted(summaries)


def test_an_operation_shows_an_answer_that_the_server_gave(server: Server, page: Page):
    page.goto(f"{server.url}/docs")
    kept = json.loads(FILE.read_text())["answers"]
    for operation_id, status in (("create_target", "201"), ("list_labels", "200")):
        operation = open_operation(page, operation_id)
        shown = operation.locator(f"tr.response[data-code='{status}'] .highlight-code code").inner_text()
        assert json.loads(shown) == kept[operation_id][status]["application/json"]


def test_each_error_stands_once_and_operations_lead_to_it(server: Server, page: Page):
    page.goto(f"{server.url}/docs")
    operation = open_operation(page, "create_target")
    assert operation.locator("tr.response").evaluate_all("rows => rows.map(row => row.dataset.code)") == ["200", "201"]
    described = [response["description"] for response in document(server)["components"]["responses"].values()]
    errors = page.locator("#errors summary").all_inner_texts()
    assert [re.sub(r"^\d+ ", "", text) for text in errors] == described
    refusals = operation.locator(".refusals")
    assert "409" in refusals.locator("summary").inner_text()
    assert not refusals.get_by_role("link", name="409").is_visible()
    refusals.locator("summary").click()
    refusals.get_by_role("link", name="409").click()
    example = page.get_by_role("region", name="Example of 409")
    assert "already exists with different configuration" in example.inner_text()
    assert page.evaluate("document.activeElement.innerText").startswith("409 ")


def test_nothing_is_wider_than_the_screen_of_a_phone(server: Server, new_page: NewPage):
    page = new_page("phone")
    page.goto(f"{server.url}/docs")
    page.locator(".opblock").first.wait_for()
    assert page.evaluate(_WIDER) == 0
    for operation_id in _OPENED:
        open_operation(page, operation_id).locator(".refusals summary").click()
        assert page.evaluate(_WIDER) == 0, operation_id
    for summary in page.locator("#errors summary").all():
        summary.click()
    assert page.evaluate(_WIDER) == 0

"""A run in a real browser: started, followed while a real model answers, read, searched and loaded."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import axe
from tests.browser.visits import NewPage, sign_in, too_wide
from tests.e2e.conftest import User, new_user
from tests.faulty_proxy import FaultyProxy
from tests.replies import STALL
from tests.server import Server, running

QUESTIONS = [f"What is {number} plus one?" for number in range(8)]

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path, model_proxy: FaultyProxy) -> Iterator[Server]:
    """A server whose runs the real model answers."""
    (tmp_path / "data").mkdir()
    entry = {"name": "real", "base_url": model_proxy.url, "models": ["*"], "requests_per_minute": 90}
    (tmp_path / "data/endpoints.yml").write_text(json.dumps([entry]))
    with running(tmp_path / "data", workers="1", run_workers="1") as server:
        yield server


@pytest.fixture
def user(server: Server) -> User:
    """A user with a target that nobody has carried out."""
    user = new_user(server)
    user.call("PUT", "/v1/repo/demo/prompts/t", {"messages": [{"role": "system", "content": "Answer with one word."}]})
    overrides = {
        "teacher_prompt": "t",
        "student_prompt": "",
        "generators": [{"type": "hardcoded", "questions": QUESTIONS}],
        "model_name": "smollm2",
        "max_tokens": 8,
    }
    user.call("PUT", "/v1/repo/demo/targets/a", {"template": "default", "overrides": overrides})
    return user


def start_all(page: Page, user: User) -> None:
    """Sign in, and start the stim and then the rollout as a person does."""
    sign_in(page, user.server, user.token)
    runs = f"{user.server.url}/{user.id}/demo/targets/a/runs"
    page.goto(runs)
    page.get_by_role("button", name="Start the stim").click()
    expect(page.get_by_text("The stim is complete.")).to_be_visible()
    page.goto(runs)
    page.get_by_role("button", name="Start the rollout").click()
    expect(page.get_by_role("heading", level=1, name="Rollout of a")).to_be_visible()


def test_a_run_is_followed_to_its_end_and_read(page: Page, user: User):
    start_all(page, user)
    state, done = page.locator('[data-live="state"]'), page.locator('[data-live="done"]')
    expect(page.get_by_text("This page follows the run by itself.")).to_be_visible()
    axe(page)
    seen = {done.inner_text()}
    while state.inner_text() != "complete":
        seen.add(done.inner_text())
        page.wait_for_timeout(100)
    assert len(seen) > 2, "the page did not follow the run"
    expect(page.get_by_role("status").last).to_have_text("The run is complete: 8 of 8 rows are there.")
    expect(page.get_by_role("article")).to_have_count(len(QUESTIONS))  # they came without a load
    assert page.get_by_role("button", name="Cancel the run").count() == 0
    axe(page)
    page.get_by_label("Text in the rows").fill("3 plus one")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_text("Download all rows").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="rows.jsonl").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == len(QUESTIONS)


def test_a_second_tab_looks_by_itself_and_a_run_is_cancelled(new_page: NewPage, user: User, model_proxy: FaultyProxy):
    model_proxy.rule = lambda _: STALL
    page = new_page("phone")
    start_all(page, user)
    expect(page.get_by_text("This page follows the run by itself.")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text("This page looks every few seconds")).to_be_visible()
    assert too_wide(page) == []
    page.get_by_text("Cancel …").click()
    page.get_by_label("Reason").fill("Too slow")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("Too slow")).to_be_visible()
    expect(other.locator('[data-live="state"]')).to_have_text("cancelled")
    expect(other.get_by_role("button", name="Resume the run")).to_be_visible()


def test_without_script_the_page_says_how_to_load_it_again(new_page: NewPage, user: User):
    page = new_page("without script")
    start_all(page, user)
    while page.locator('[data-live="state"]').inner_text() != "complete":
        page.get_by_role("link", name="Load it again").click()
    expect(page.get_by_role("article")).to_have_count(len(QUESTIONS))

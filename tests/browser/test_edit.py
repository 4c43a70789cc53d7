"""Editing targets with scripts: the preview follows what is typed; a conflict; a sweep."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import axe
from tests.browser.chromium import Faults
from tests.browser.conftest import Kitchen
from tests.browser.visits import NewPage, sign_in, too_wide
from tests.e2e.conftest import User
from tests.payloads import made

pytestmark = pytest.mark.slow
_A = "/v1/repo/oven/targets/a"


@pytest.fixture(scope="module")
def baker(kitchen: Kitchen) -> User:
    """The owner of the rich repo, who has another repo `oven` for these tests."""
    user = kitchen.rich.user
    user.call("POST", "/v1/repo", {"repo_name": "oven"})
    user.call("PUT", "/v1/repo/oven/prompts/polite", {"messages": [{"role": "system", "content": "Be polite."}]})
    return user


@pytest.fixture
def address(baker: User) -> Iterator[str]:
    """Where the pages of a repo are that has a fresh target `a`."""
    baker.call("PUT", _A, made(temperature=0.7, max_tokens=100))
    return f"{baker.server.url}/{baker.id}/oven"


@pytest.fixture
def signed_in(page: Page, baker: User) -> Page:
    sign_in(page, baker.server, baker.token)
    return page


def test_the_preview_and_the_messages_follow_what_is_typed(signed_in: Page, address: str, baker: User):
    page = signed_in
    page.goto(f"{address}/targets/a/edit")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Saving changes no value")
    page.get_by_label("model_name, set here").fill("some/model")
    expect(preview.locator("table").first).to_contain_text("some/model")
    expect(page.locator("[name='how.model_name'][value=own]")).to_be_checked()
    page.get_by_label("temperature, set here").fill("9")
    expect(page.locator("[data-said=temperature]")).to_contain_text("This must be 2.0 or less")
    page.get_by_label("temperature, set here").fill("0.2")
    expect(page.locator("[data-said=temperature]")).to_be_empty()
    page.get_by_label("student_prompt, set here").fill("nobody")
    expect(page.locator("[data-said=student_prompt]")).to_contain_text("there is no prompt 'nobody'")
    page.locator("[name='how.student_prompt'][value=template]").check()
    expect(page.get_by_label("student_prompt, set here")).to_have_value("")
    expect(page.locator("[data-said=student_prompt]")).to_be_empty()
    page.get_by_role("button", name="Add").click()
    page.get_by_label("numq").fill("3")
    page.get_by_label("type", exact=True).select_option("hardcoded")
    page.get_by_label("questions", exact=True).fill("Why?")
    expect(preview).to_contain_text("hardcoded")
    axe(page)
    assert baker.call("GET", _A)["config"]["temperature"] == 0.7
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Target 'a' is saved.")
    config = baker.call("GET", _A)["config"]
    assert (config["model_name"], config["temperature"]) == ("some/model", 0.2)
    assert config["generators"] == [{"type": "hardcoded", "numq": 3, "questions": ["Why?"]}]


def test_an_edit_with_a_conflict_loses_nothing(new_page: NewPage, address: str, baker: User, faults: Faults):
    page = new_page("phone")
    sign_in(page, baker.server, baker.token)
    page.goto(f"{address}/targets/a/edit")
    page.get_by_label("temperature, set here").fill("0.2")
    page.get_by_label("max_concurrency, set here").fill("3")
    page.get_by_label("Why").fill("Calmer")
    baker.call("PUT", _A, made(temperature=0.9, max_tokens=50), X_Change_Reason="Warmer")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("a was changed meanwhile")
    faults.take("412")
    expect(page.get_by_role("alert")).to_contain_text("Warmer")
    axe(page)
    assert too_wide(page) == []
    row = page.get_by_role("row", name="overrides.temperature")
    expect(row).to_contain_text("0.9")
    row.get_by_label("yours").check()
    page.get_by_role("button", name="Save both changes together").click()
    expect(page.get_by_role("status")).to_contain_text("Target 'a' is saved.")
    config = baker.call("GET", _A)["config"]
    assert (config["temperature"], config["max_tokens"], config["max_concurrency"]) == (0.2, 50, 3)
    assert baker.call("GET", "/v1/repo/oven/log")["commits"][0]["reason"] == "Calmer"


def test_a_sweep_is_looked_at_and_made(signed_in: Page, address: str, baker: User):
    page = signed_in
    page.goto(f"{address}/sweep?template=a")
    page.get_by_label("Field", exact=True).fill("temperature")
    page.get_by_label("Values", exact=True).fill("0.1\n0.5")
    page.get_by_role("button", name="Another field").click()
    page.get_by_label("Field", exact=True).nth(1).fill("extra_kwargs.top_p")
    page.get_by_label("Values", exact=True).nth(1).fill("0.5\n0.9")
    page.get_by_label("Names").fill("s_{temperature}_{extra_kwargs.top_p}")
    page.get_by_role("button", name="Show the targets").last.click()
    expect(page.get_by_role("region", name="The targets to be").get_by_role("row")).to_have_count(5)
    axe(page)
    page.get_by_role("button", name="Make 4 targets").click()
    expect(page.get_by_role("status")).to_contain_text("Made 4 targets in one commit.")
    names = baker.call("GET", "/v1/repo/oven/targets")["targets"]
    assert names == ["a", "s_0.1_0.5", "s_0.1_0.9", "s_0.5_0.5", "s_0.5_0.9"]


@pytest.mark.parametrize("mode", ["light", "dark", "phone"])
def test_editors_are_sound(mode: str, new_page: NewPage, address: str, baker: User):
    generators = [{"type": "hardcoded", "questions": ["Why?", "How?"]}, {"type": "custom", "template_content": "Ask."}]
    baker.call("PUT", _A, made(temperature=0.7, student_prompt="nobody", generators=generators))
    page = new_page(mode)
    sign_in(page, baker.server, baker.token)
    for path in ("targets/a/edit", "targets/a/edit?as=yaml", "new", "targets/a/delete", "targets/a/rebase", "sweep"):
        page.goto(f"{address}/{path}")
        axe(page)
        assert too_wide(page) == []

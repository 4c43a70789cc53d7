"""A person begins in the browser with nothing, and reads what they made with the commands that a page tells."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.visits import NewPage, sign_in
from tests.e2e.conftest import User, call, needs_curl, new_user
from tests.server import MASTER_KEY, Server


@pytest.mark.parametrize("mode", ["light", "without script"])
def test_a_repo_and_its_first_target_are_made(server: Server, new_page: NewPage, mode: str):
    user_id, page = f"new-{uuid.uuid4().hex[:8]}", new_page(mode)
    token = call(server, MASTER_KEY, "POST", "/v1/admin/users", {"user_id": user_id})["api_key"]
    sign_in(page, server, token)
    page.get_by_label("Name").fill("first")
    page.get_by_role("button", name="Create the repo").click()
    page.get_by_role("link", name="Create the first one").click()
    page.get_by_label("Name", exact=True).fill("calm")
    page.get_by_label("temperature, set here").fill("0.2")
    page.locator("[name='how.temperature'][value=own]").check()
    page.get_by_label("Why").fill("A calm beginning")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("heading", name="calm", exact=True).wait_for()
    assert page.url == f"{server.url}/{user_id}/first/targets/calm"
    user = User(server, user_id, token)
    assert user.call("GET", "/v1/repo/first/targets/calm")["config"]["temperature"] == 0.2
    assert user.call("GET", "/v1/repo/first/log")["commits"][0]["reason"] == "A calm beginning"


@pytest.fixture
def owner(server: Server) -> User:
    """A user whose target had another temperature when it got the tag `v1`."""
    owner = new_user(server)
    for temperature in (0.25, 1.5):
        target = {"template": "default", "overrides": {"temperature": temperature}}
        owner.call("PUT", "/v1/repo/demo/targets/calm", target)
        if temperature == 0.25:
            owner.call("POST", "/v1/repo/demo/tags", {"name": "v1"})
    return owner


def commands(page: Page, server: Server, owner: User, reader: User, ref: str) -> dict[str, str]:
    """Return what a target's page tells to copy, by its id."""
    sign_in(page, server, reader.token)
    page.goto(f"{server.url}/{owner.id}/demo/targets/calm{ref}")
    return {name: page.locator(f"#copy-{name}").text_content().strip() for name in ("curl", "python", "git")}


def run(command: list[str], reader: User, folder: Path) -> str:
    """Run a command as a person does who has the token at hand; git asks for it as for a password."""
    ask = folder / "ask"
    ask.write_text(f"#!/bin/sh\necho {reader.token}\n")
    ask.chmod(0o700)
    environment = {**os.environ, "TOKEN": reader.token, "GIT_ASKPASS": str(ask), "GIT_TERMINAL_PROMPT": "0"}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


@needs_curl
@pytest.mark.parametrize("ref", ["", "?ref=v1"])
@pytest.mark.parametrize("by", ["the owner", "a guest"])
def test_the_commands_of_a_page_read_what_it_shows(
    server: Server, page: Page, owner: User, tmp_path: Path, by: str, ref: str
):
    reader = owner
    if by == "a guest":
        reader = new_user(server)
        owner.call("PUT", f"/v1/repo/demo/grants/{reader.id}", {"access": "read"})
    told = commands(page, server, owner, reader, ref)
    temperature = 0.25 if ref else 1.5
    assert json.loads(run(["bash", "-c", told["curl"]], reader, tmp_path))["config"]["temperature"] == temperature
    assert f"temperature={temperature}" in run([sys.executable, "-c", told["python"]], reader, tmp_path)
    assert f"temperature: {temperature}\n" in run(["bash", "-c", told["git"]], reader, tmp_path)

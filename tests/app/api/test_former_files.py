"""Files that the version before wrote: they are read, and stay until their content changes."""

import pytest
import yaml
from flask import Flask

from app.domain import former_yaml
from app.registry.verification.repo import of_repo
from storage.clones import BRANCH, Clone
from tests.app.api.helpers import DEFAULT, PROMPTS, TARGETS, show
from tests.client import Client
from tests.payloads import made
from tests.storage.repositories import settle
from tests.timeline import commit_by_hand, demo_repository, tip

NASTY = {"v": ["0X1F", "2024-1-2", "1,000", "First.\n\u2028Second.", "été"], "1": {"8 bit": "4 bit"}}
MESSAGES = [{"role": "system", "content": "First line.\n\u2028Second line."}]
WRITES = [
    (DEFAULT, "defaults/target.yml", {"config": {"generators": [], "extra_kwargs": NASTY}}),
    (f"{TARGETS}/a", "targets/a.yml", made("default", extra_kwargs=NASTY)),
    (f"{PROMPTS}/a", "prompts/a.yml", {"messages": MESSAGES}),
]


@pytest.fixture
def former(app: Flask, alice: Client) -> str:
    """Return the commit after which the files are as the version before wrote them."""
    for address, path, body in WRITES:
        assert alice.put(address, body).status_code == 200
        written = show(app, path)
        data = former_yaml.dump(yaml.safe_load(written))
        assert data.decode() != written
        commit_by_hand(app, {path: data})
    return tip(app)


def test_a_put_of_the_same_content_keeps_the_former_file(alice: Client, former: str):
    for address, _, body in WRITES:
        assert alice.put(address, body).headers["Git-Commit"] == former


@pytest.mark.usefixtures("former")
def test_a_put_of_other_content_writes_todays_form(app: Flask, alice: Client):
    assert alice.put(f"{PROMPTS}/a", {"messages": [*MESSAGES, {"role": "user", "content": "0X1F"}]}).status_code == 200
    assert r"\L" in show(app, "prompts/a.yml")


@pytest.mark.usefixtures("former")
def test_verify_finds_nothing_in_former_files(app: Flask):
    path = demo_repository(app).path
    settle(path)
    with Clone("demo", path) as clone:
        verification = of_repo(clone, clone.head(BRANCH))
        assert [line for _, path, _ in WRITES for line in verification.check(path)] == []

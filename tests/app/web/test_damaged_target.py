"""A target whose file is damaged: the pages of the others work, and it can be deleted in the browser."""

import html

import pytest
from flask import Flask

from tests.app.web import forms
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made
from tests.timeline import commit_by_hand

REPO, API = "/alice/demo", "/v1/repo/demo/targets"
DELETE = f"{REPO}/targets/bad/delete"


@pytest.fixture(autouse=True)
def damage(app: Flask, alice: Client) -> None:
    """Make `base`, and `child` from it; then write a file that is no target."""
    assert alice.put(f"{API}/base", made(temperature=0.7)).status_code == 200
    assert alice.put(f"{API}/child", made("base", max_tokens=5)).status_code == 200
    commit_by_hand(app, {"targets/bad.yml": b"hello\n"})


@pytest.mark.parametrize("query", ["", "?sort=template", "?sort=temperature", "?fields=temperature", "?q=b"])
def test_the_repo_page_names_the_damaged_target_and_offers_to_delete_it(visitor: Visitor, query: str):
    page = visitor.get(f"{REPO}{query}")
    assert page.status_code == 200
    assert f'href="{REPO}/targets/base"' in page.text
    if "temperature" not in query or "fields" in query:
        assert page.text.count("cannot be read") == 1
        assert f'href="{DELETE}"' in page.text


def test_filters_pass_over_the_damaged_target(visitor: Visitor):
    for query in ("?template=base", "?descends_from=base", "?where=max_tokens=5"):
        page = visitor.get(f"{REPO}{query}")
        assert page.status_code == 200
        assert "1–1 of 1 target" in page.text
        assert f'href="{REPO}/targets/child"' in page.text


def test_the_pages_of_healthy_targets_work(visitor: Visitor):
    for path in ("targets/base", "targets/base/edit", "targets/base/rebase", "targets/base/delete", "default"):
        assert visitor.get(f"{REPO}/{path}").status_code == 200, path
    assert "1 target was made from it" in visitor.get(f"{REPO}/targets/base").text


def test_the_page_of_a_target_works_whose_template_is_damaged(app: Flask, visitor: Visitor):
    commit_by_hand(app, {"targets/base.yml": b"hello\n"})
    page = visitor.get(f"{REPO}/targets/child")
    assert page.status_code == 200
    assert "The file of base is damaged." in page.text


def test_the_page_of_the_damaged_target_names_its_file(visitor: Visitor):
    page = visitor.get(f"{REPO}/targets/bad")
    assert page.status_code == 503
    assert "targets/bad.yml" in html.unescape(page.text)


def test_the_damaged_target_is_deleted_in_the_browser(visitor: Visitor, alice: Client):
    page = visitor.get(DELETE)
    assert page.status_code == 200
    answer = visitor.post(DELETE, **{**forms.read(page.text, DELETE), "reason": "It was damaged."})
    assert (answer.status_code, answer.location) == (303, REPO)
    assert alice.get(API).json["targets"] == ["base", "child"]

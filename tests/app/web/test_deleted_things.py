"""No page leads to a target or prompt that is not there, and the page that is missing leads to the history."""

import re
from collections.abc import Callable

import pytest

from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made

REPO, API = "/alice/demo", "/v1/repo/demo"
BASE, PROMPT = f"{REPO}/targets/base", f"{REPO}/prompts/p"


@pytest.fixture(autouse=True)
def before(alice: Client) -> str:
    """Make `base`, `nightly` from it, and the prompt `p`; delete `base` and `p`. Return the commit that has all."""
    assert alice.put(f"{API}/targets/base", made(temperature=0.7)).status_code == 200
    assert alice.put(f"{API}/targets/nightly", made("base", max_tokens=5)).status_code == 200
    full = alice.put(f"{API}/prompts/p", {"messages": [{"role": "system", "content": "Be kind."}]})
    for path in ("targets/base", "prompts/p"):
        assert alice.delete(f"{API}/{path}").status_code == 200
    return full.headers["Git-Commit"]


def links(visitor: Visitor, address: str) -> list[str]:
    page = visitor.get(address)
    assert page.status_code == 200, page.text
    return re.findall(r'href="([^"]+)"', page.text)


def test_a_template_that_is_gone_is_named_without_a_link(visitor: Visitor, before: str):
    for address in (REPO, f"{REPO}/targets/nightly"):
        assert BASE not in links(visitor, address)
        assert "base" in visitor.get(address).text
        assert f"{BASE}?ref={before}" in links(visitor, f"{address}?ref={before}")


@pytest.mark.parametrize("name", ["targets/base", "prompts/p"])
def test_histories_and_comparisons_lead_only_to_versions_that_are_there(visitor: Visitor, before: str, name: str):
    page, (kind, thing) = f"{REPO}/{name}", name.split("s/")
    assert page not in links(visitor, f"{page}/history")
    found = links(visitor, f"{REPO}/compare/{before}...main?{kind}={thing}")
    assert [link for link in found if link.startswith(page)] == [
        f"{page}/history",
        f"{page}?ref={before}",
        f"{page}/put-back?to={before}",
    ]
    assert page not in links(visitor, f"{page}/put-back?to={before}")
    assert {visitor.get(link).status_code for link in found if link.startswith(f"{REPO}/")} == {200}


@pytest.mark.parametrize("page", [BASE, PROMPT, f"{BASE}/edit", f"{BASE}/delete", f"{PROMPT}/delete"])
def test_what_was_deleted_leads_to_its_history(visitor: Visitor, page: str):
    answer = visitor.get(page)
    assert answer.status_code == 404
    assert "It was deleted." in answer.text
    history = page.removesuffix("/edit").removesuffix("/delete") + "/history"
    assert f'<a href="{history}">Its history</a>' in answer.text
    assert visitor.get(history).status_code == 200


def test_what_never_was_or_is_there_now_is_not_told_as_deleted(visitor: Visitor, alice: Client, before: str):
    for name in ("targets/never", "prompts/never", "labels/never", "targets/never/history"):
        answer = visitor.get(f"{REPO}/{name}")
        assert answer.status_code == 404
        assert "It was deleted." not in answer.text
    alice.put(f"{API}/targets/later", made())
    answer = visitor.get(f"{REPO}/targets/later?ref={before}")
    assert answer.status_code == 404
    assert "It was deleted." not in answer.text


def test_only_those_who_may_read_the_repo_learn_what_was_deleted(
    master: Client, stranger: Visitor, sign_in: Callable[[str], Visitor]
):
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    answer = bob.get(BASE)
    assert answer.status_code in (403, 404)
    assert "history" not in answer.text.lower()
    assert stranger.get(BASE).status_code == 303

"""The search in the browser: what it finds, links, leaves out, and shows to whom."""

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask

from app import create_app
from app.registry.messages import Origin
from app.settings import Settings
from tests.app.api.helpers import TARGETS, put
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.server import MASTER_KEY

HOSTILE = "<script>alert(1)</script><b onclick='x'>&amp;"

SignIn = Callable[[str], Visitor]


def hits(page: str) -> list[str]:
    """Return the things on a page, with their repos, as text."""
    found = re.findall(r'<p class="thing">(.*?)</p>', page, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", each)).split()) for each in found]


def marked(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r"<mark>(.*?)</mark>", page)]


@pytest.fixture
def bob(master: Client) -> Client:
    made = master.post("/v1/admin/users", {"user_id": "bob"})
    client = Client(master.app, made.json["api_key"])
    client.post("/v1/repo", {"repo_name": "lab"})
    client.post("/v1/repo", {"repo_name": "secret"})
    return client


def test_one_search_finds_each_kind_of_thing_and_links_to_its_page(visitor: Visitor, alice: Client):
    owl = {"template": "default", "overrides": {"model_name": "Owl-7B"}}
    alice.put(f"{TARGETS}/owl", owl, X_Change_Reason="An owl")
    alice.put("/v1/repo/demo/prompts/tutor", {"messages": [{"role": "system", "content": "Be an OWL."}]})
    alice.put("/v1/repo/demo/labels/owl-live", {"ref": alice.get(f"{TARGETS}/owl").headers["Git-Commit"]})
    alice.post("/v1/repo/demo/tags", {"name": "owl-1"})
    alice.post("/v1/repo", {"repo_name": "owls", "base_model": "x"})
    page = visitor.get("/-/search?q=owl").text
    assert hits(page) == [
        "owls in alice/owls",
        "owl in alice/demo",
        "tutor in alice/demo",
        "owl-live in alice/demo",
        "owl-1 in alice/demo",
        'Create owl from default: model_name "Qwen/Qwen3-32B" → "Owl-7B" in alice/demo',
    ]
    assert '<a href="/alice/demo/targets/owl">owl</a>' in page
    assert '<a href="/alice/demo/prompts/tutor">tutor</a>' in page
    assert '<a href="/alice/demo/labels/owl-live">owl-live</a>' in page
    assert '<a href="/alice/demo?ref=owl-1">owl-1</a>' in page
    assert '<a href="/alice/owls">owls</a>' in page
    assert re.search(r'<a href="/alice/demo\?ref=[0-9a-f]{40}">Create owl from default', page)
    assert '<a href="/alice/demo/default">default</a>' in visitor.get("/-/search?q=default").text
    assert {"owl", "OWL", "Owl"} <= set(marked(page))
    assert "model_name" in page
    assert "messages.0.content" in page


def test_a_search_in_a_repo_stays_in_it_and_at_its_ref(visitor: Visitor, alice: Client):
    first = put(alice, "a", model_name="owl")
    alice.post("/v1/repo", {"repo_name": "owls"})
    put(alice, "b", model_name="owl")
    assert hits(visitor.get("/alice/demo/search?q=owl").text) == ["a", "b"]
    page = visitor.get(f"/alice/demo/search?q=owl&ref={first}").text
    assert hits(page) == ["a"]
    assert f'href="/alice/demo/targets/a?ref={first}"' in page
    assert f'<input type="hidden" name="ref" value="{first}">' in page


def test_what_is_left_out_is_told_and_can_be_reached(visitor: Visitor, alice: Client):
    items = [{"target_name": f"owl{at:03}", "template": "default", "overrides": {}} for at in range(120)]
    alice.post(f"{TARGETS}/batch", {"targets": items})
    page = visitor.get("/-/search?q=owl").text
    assert len(hits(page)) == 10
    assert "There are more targets." in page
    found, address = [], "/-/search?q=owl&kind=targets"
    while address:
        page = visitor.get(address).text
        found += hits(page)
        following = re.search(r'<a href="([^"]+)">Show more', page)
        address = html.unescape(following[1]) if following else ""
    assert found == [f"{item['target_name']} in alice/demo" for item in items]


def test_a_page_that_may_look_at_no_more_says_so_and_goes_on(tmp_path):
    app = create_app(Settings(tmp_path / "data", MASTER_KEY, max_parsed=20_000))
    client = Client(app, MASTER_KEY)
    client.post("/v1/repo?user_id=alice", {"repo_name": "demo"})
    for name in ("a", "b", "owl"):
        message = {"role": "system", "content": f"{name} " * 4000}
        client.put(f"/v1/repo/demo/prompts/{name}?user_id=alice", {"messages": [message]})
    operator = Visitor(app)
    operator.post("/-/sign-in", token=MASTER_KEY)
    found, address = [], "/alice/demo/search?q=owl&kind=prompts"
    for _ in range(3):
        page = operator.get(address).text
        found += hits(page)
        following = re.search(r'Not all prompts were looked at.*?<a href="([^"]+)">Search on', page, re.DOTALL)
        if following is None:
            break
        address = html.unescape(following[1])
    assert found == ["owl"]
    assert following is None


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "Type what you look for"),
        ("%20%20", "Type what you look for"),
        ("o", "Type 2 characters or more"),
        ("o" * 201, "Type 200 characters at most."),
        ("owl%0Aowl", "Type one line"),
        ("no+such+text", "Nothing has this text."),
    ],
)
def test_a_search_without_results_says_why_in_a_sentence(visitor: Visitor, query: str, sentence: str):
    for address in ("/-/search", "/alice/demo/search"):
        answer = visitor.get(f"{address}?q={query}")
        assert answer.status_code == 200
        assert sentence in answer.text


def test_a_search_sees_what_was_shared_and_nothing_else(sign_in: SignIn, alice: Client, bob: Client):
    guest = sign_in(alice.token)
    for repo in ("lab", "secret"):
        bob.put(f"/v1/repo/{repo}/targets/bobs-{repo}", {"template": "default", "overrides": {}})
    assert hits(guest.get("/-/search?q=bobs").text) == []
    bob.put("/v1/repo/lab/grants/alice", {"access": "read"})
    assert hits(guest.get("/-/search?q=bobs").text)[0] == "bobs-lab in bob/lab"
    assert "secret" not in guest.get("/-/search?q=bobs").text
    assert hits(guest.get("/-/search?q=bobs&owner=bob").text)[0] == "bobs-lab in bob/lab"
    assert hits(guest.get("/-/search?q=bobs&owner=alice").text) == []
    assert guest.get("/bob/secret/search?q=bobs").status_code == 403
    bob.delete("/v1/repo/lab/grants/alice")
    assert hits(guest.get("/-/search?q=bobs").text) == []


def test_a_repo_without_pages_is_found_and_has_no_link(app: Flask, operator: Visitor, master: Client):
    """An older version let users have the id of another address."""
    app.extensions["bakehouse"].accounts.create(Origin("admin"), "docs", None, None)
    master.post("/v1/repo?user_id=docs", {"repo_name": "demo"})
    page = operator.get("/-/search?q=default&owner=docs").text
    assert hits(page) == ["default in docs/demo"]
    assert '<a href="/docs/demo' not in page
    assert 'href="/-/deleted/docs"' not in operator.get("/-/users/docs").text


def test_a_token_for_some_repos_searches_these(sign_in: SignIn, alice: Client, master: Client):
    alice.post("/v1/repo", {"repo_name": "other"})
    made = master.post("/v1/admin/users/alice/tokens", {"name": "ci", "repos": ["other"], "access": "read"})
    page = sign_in(made.json["api_key"]).get("/-/search?q=default").text
    assert hits(page) == ["default in alice/other"]


@pytest.mark.usefixtures("alice", "bob")
def test_the_master_key_searches_the_repos_of_the_owner_that_it_names(operator: Visitor):
    asked = operator.get("/-/search?q=default").text
    assert "Owner of the repos" in asked
    assert hits(asked) == []
    found = hits(operator.get("/-/search?q=default&owner=bob").text)
    assert found == ["default in bob/lab", "default in bob/secret"]
    assert hits(operator.get("/alice/demo/search?q=default").text) == ["default"]


def test_pages_of_many_repos_find_each_once_in_whatever_repo_a_page_ends(sign_in: SignIn, alice: Client, bob: Client):
    for name in ("alpha", "omega"):
        bob.post("/v1/repo", {"repo_name": name})
        bob.put(f"/v1/repo/{name}/grants/alice", {"access": "read"})
    searcher = sign_in(alice.token)
    everything = hits(searcher.get("/-/search?q=default&kind=targets").text)
    assert everything == ["default in alice/demo", "default in bob/alpha", "default in bob/omega"]
    for after, left in (
        ("alice/demo/default", 2),
        ("bob/alpha/", 2),
        ("bob/alpha/default", 1),
        ("bob/omega/default", 0),
    ):
        found = hits(searcher.get(f"/-/search?q=default&kind=targets&after={after}").text)
        assert found == everything[3 - left :]


def test_what_looks_like_markup_is_shown_as_text(visitor: Visitor, alice: Client):
    put(alice, "a", model_name=HOSTILE, extra_kwargs={HOSTILE: HOSTILE})
    alice.put("/v1/repo/demo/prompts/p", {"messages": [{"role": "system", "content": HOSTILE * 3}]})
    page = visitor.get("/-/search?q=%3Cscript%3E").text
    assert len(hits(page)) == 2
    assert "<script>alert" not in page
    assert "<b " not in page
    assert set(marked(page)) == {"<script>"}


@pytest.mark.parametrize("query", ["kind=runs", "after=x", "after=/x/", "owner=-", "q=ab&q=cd", "page=2", "ref=no+ref"])
def test_an_address_that_no_page_leads_to_is_refused_with_a_sentence(visitor: Visitor, query: str):
    answer = visitor.get(f"/-/search?q=ab&{query}" if not query.startswith("q=") else f"/-/search?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.text


def test_each_page_of_somebody_who_signed_in_has_the_field(visitor: Visitor, stranger: Visitor, alice: Client):
    put(alice, "a")
    for address, action in (("/", "/-/search"), ("/alice/demo/targets/a", "/alice/demo/search")):
        page = visitor.get(address).text
        assert f'action="{action}"' in page
        assert '<input type="search" id="search" name="q"' in page
    assert 'role="search"' not in stranger.get("/").text


def test_a_damaged_repo_is_told_on_the_page(app: Flask, visitor: Visitor, alice: Client):
    alice.post("/v1/repo", {"repo_name": "broken"})
    path = app.extensions["bakehouse"].settings.data_dir / "repos/alice/broken.git"
    (path / "HEAD").unlink()
    page = visitor.get("/-/search?q=default").text
    assert "alice/broken was not searched as a whole" in page
    assert hits(page) == ["default in alice/demo"]


@pytest.mark.parametrize("address", ["/-/search", "/alice/demo/search"])
def test_a_search_that_is_refused_as_too_long_is_not_repeated_whole(visitor: Visitor, operator: Visitor, address: str):
    for each in (visitor, operator):
        page = each.get(f"{address}?q={'q' * 50_000}").text
        assert "q" * 200 in page
        assert "q" * 201 not in page
    assert "Type 200 characters at most." in visitor.get(f"{address}?q={'q' * 201}").text

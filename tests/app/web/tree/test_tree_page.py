"""The page of the family tree, and the picture as a file."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.app.api.helpers import DEFAULT, new_token, new_user, put
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made, target
from tests.seams import count_parses, count_processes
from tests.server import MASTER_KEY
from tests.timeline import commit_by_hand

TREE = "/alice/demo/tree"
SVG = "{http://www.w3.org/2000/svg}"


def boxes(visitor: Visitor, query: str = "") -> dict[str, list[str]]:
    """Return what each box of the picture tells, by name, first its classes."""
    answer = visitor.get(f"{TREE}.svg{query}")
    assert answer.status_code == 200, answer.text
    found = {}
    for each in ElementTree.fromstring(answer.text):
        classes = each.get("class", "").split()
        if "box" in classes:
            name, *told = each.find(f"{SVG}title").text.splitlines()
            found[name] = [" ".join(classes[1:]), *told]
    return found


def folds(page: str) -> list[tuple[str, str]]:
    """Return the text and the address of each fold in the list."""
    return [(text, unescape(href)) for href, text in re.findall(r'<a class="fold" href="([^"]*)">([^<]*)<', page)]


@pytest.fixture
def family(alice: Client) -> None:
    """Targets of three generations: one drifted, one whose template is gone, one that a label shows."""
    put(alice, "base", temperature=0.5)
    put(alice, "nightly", "base", max_tokens=100, student_prompt=None)
    put(alice, "current", "base")
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    alice.put("/v1/repo/demo/labels/production", {"ref": "v1"})
    put(alice, "base", temperature=0.75)
    put(alice, "current", "base")
    put(alice, "lost")
    put(alice, "orphan", "lost")
    alice.delete("/v1/repo/demo/targets/lost")


@pytest.mark.usefixtures("family")
def test_the_picture_shows_what_each_target_overrides_which_drifted_and_what_is_live(visitor: Visitor):
    assert boxes(visitor) == {
        "default": ["default current", "every repo starts with it"],
        "base": [
            *("target current", "made from default", "overrides temperature: 0.75"),
            *("label production has another version", "tag v1 has another version"),
        ],
        "current": [
            *("target current", "made from base", "overrides nothing"),
            *("label production has another version", "tag v1 has another version"),
        ],
        "nightly": [
            *("target drifted", "made from base", "overrides student_prompt: removed, max_tokens: 100"),
            "drifted: a rebase changes temperature: 0.5 → 0.75",
            *("label production has this version", "tag v1 has this version"),
        ],
        "lost": ["gone current", "a template that is gone"],
        "orphan": ["target template_gone", "made from lost", "overrides nothing", "the template is gone"],
    }


@pytest.mark.usefixtures("family")
def test_the_page_has_the_picture_and_the_same_as_a_list(visitor: Visitor):
    page = visitor.get(TREE)
    assert page.status_code == 200
    picture = ElementTree.fromstring(page.text[page.text.index("<svg") : page.text.index("</svg>") + len("</svg>")])
    links = [each.get("href") for each in picture if each.tag == f"{SVG}a"]
    targets = [f"/alice/demo/targets/{name}" for name in ("base", "current", "nightly", "orphan")]
    assert links == ["/alice/demo/default", *targets]
    family = page.text[page.text.index('<div class="family">') :]
    names = ["default", "base", "current", "nightly", "lost", "orphan"]
    assert re.findall(r"<(?:strong|a href=[^>]*)>(\w+)<", family[: family.index("</main>")]) == names
    assert '<span class="badge warn">drifted</span>' in family
    assert '<span class="badge good">production</span>' in family
    assert "<code>temperature: 0.5 → 0.75</code>" in family
    assert "5 targets" not in page.text
    assert "4 targets" in page.text
    assert '<span class="badge warn">1 drifted</span>' in page.text
    assert '<span class="badge bad">1 gone</span>' in page.text
    assert "style=" not in page.text
    assert "<script>" not in page.text


@pytest.mark.usefixtures("family")
def test_a_ref_shows_the_family_as_it_was_and_all_links_keep_it(visitor: Visitor):
    assert boxes(visitor, "?ref=v1").keys() == {"default", "base", "nightly", "current"}
    assert boxes(visitor, "?ref=v1")["nightly"][0] == "target current"
    page = visitor.get(f"{TREE}?ref=v1&root=base").text
    links = re.findall(r'href="(/alice/demo/[^"]*)"', page[page.index("<main") :])
    assert links
    assert all("ref=v1" in link for link in links)


@pytest.mark.usefixtures("family")
def test_a_root_shows_a_part_and_the_way_to_it(visitor: Visitor):
    assert list(boxes(visitor, "?root=base")) == ["base", "current", "nightly"]
    page = visitor.get(f"{TREE}?root=nightly").text
    above = page[page.index('<ol class="above">') : page.index("</nav>", page.index('<ol class="above">'))]
    assert re.findall(r">([\w ]+)</", above) == ["The whole family", "default", "base", "nightly"]
    assert visitor.get(f"{TREE}?root=nobody").status_code == 404
    assert "&#39;nobody&#39;" in visitor.get(f"{TREE}?root=nobody").text


def test_a_target_of_its_own_and_two_of_each_other_are_drawn(alice: Client, visitor: Visitor):
    put(alice, "self", temperature=0.5)
    put(alice, "self", "self", max_tokens=7)
    put(alice, "one", "default")
    put(alice, "two", "one")
    put(alice, "one", "two", max_tokens=9)
    found = boxes(visitor)
    assert found["self"] == ["target current", "made from default", "overrides max_tokens: 7, temperature: 0.5"]
    assert found["one"][:2] == ["target current", "made from two, which was made from it"]
    assert found["two"][:2] == ["target drifted", "made from one"]


def test_folds_lead_to_what_they_count(alice: Client, visitor: Visitor):
    items = [target(f"t-{number:03}", temperature=number / 1000) for number in range(130)]
    assert alice.post("/v1/repo/demo/targets/batch", {"targets": items}).status_code == 200
    put(alice, "t-000", max_tokens=2)
    assert alice.put(DEFAULT, {"config": {"temperature": 0.5}}).status_code == 200
    page = visitor.get(TREE).text
    [(text, opened)] = folds(page)
    assert (text, opened) == ("+ 106 more, 106 drifted", f"{TREE}?open=default")
    [(text, following)] = folds(visitor.get(opened).text)
    assert (text, following) == ("+ 30 more, 30 drifted", f"{TREE}?root=default&open=default&from=100")
    last = visitor.get(following).text
    assert folds(last) == [("100 before these, 100 drifted", f"{TREE}?root=default&open=default")]
    assert 'href="/alice/demo/targets/t-129"' in last


def test_addresses_that_mean_nothing_show_the_rest(alice: Client, visitor: Visitor):
    put(alice, "a")
    for query in ("?open=nobody&open=nobody", "?from=-1", "?from=x", "?from=99999999", "?open=", "?other=1"):
        assert "a" in boxes(visitor, query)


def test_a_repo_without_targets_says_what_to_do(visitor: Visitor):
    page = visitor.get(TREE).text
    assert "There are no targets yet." in page
    assert "None has drifted" not in page


def test_the_file_stands_alone_and_its_links_lead_back(alice: Client, visitor: Visitor):
    put(alice, "a")
    answer = visitor.get(f"{TREE}.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="demo-tree.svg"'
    policy = answer.headers["Content-Security-Policy"]
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/=]+'; sandbox", policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    svg = ElementTree.fromstring(answer.text)
    assert "var(" not in svg.find(f"{SVG}style").text
    assert [each.get("href") for each in svg.iter(f"{SVG}a")] == [
        "http://localhost/alice/demo/default",
        "http://localhost/alice/demo/targets/a",
    ]


def test_names_by_hand_are_text_and_lead_nowhere(app: Flask, alice: Client, visitor: Visitor):
    put(alice, "a")
    version = "a1" * 20
    text = f"template: default\ntemplate_version: {version}\noverrides: {{}}\nconfig: {{}}\n".encode()
    hostile = "<svg onload=alert(1)>"
    commit_by_hand(app, {f"targets/{hostile}.yml": text, "targets/default.yml": text, f"targets/{'b' * 200}.yml": text})
    found = boxes(visitor)
    assert found[hostile][0] == "target drifted"
    page = visitor.get(TREE).text
    assert "<svg onload" not in page
    assert "&lt;svg onload=alert(1)&gt;" in page
    assert f'href="/alice/demo/targets/{"b" * 200}"' not in page


def test_a_damaged_file_is_named(app: Flask, visitor: Visitor):
    commit_by_hand(app, {"targets/bad.yml": b"- no target"})
    answer = visitor.get(TREE)
    assert answer.status_code == 503
    assert "targets/bad.yml" in answer.text


def test_who_may_not_read_the_repo_sees_nothing(
    master: Client, visitor: Visitor, stranger: Visitor, sign_in: Callable[[str], Visitor]
):
    assert visitor.get(TREE).status_code == 200
    assert sign_in(new_token(master, access="read").token).get(TREE).status_code == 200
    bob = sign_in(new_user(master, "bob").token)
    for address in (TREE, f"{TREE}.svg"):
        assert stranger.get(address).status_code == 303
        assert bob.get(address).status_code in (403, 404)
        assert visitor.post(address).status_code == 405


def test_a_guest_sees_what_was_shared(alice: Client, master: Client, sign_in: Callable[[str], Visitor]):
    bob = new_user(master, "bob")
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert sign_in(bob.token).get(TREE).status_code == 200


def test_only_what_is_drawn_is_parsed_and_no_process_is_started(
    alice: Client, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
):
    for start in range(0, 1000, 500):
        items = [target(f"t-{number:04}", temperature=number / 1000) for number in range(start, start + 500)]
        assert alice.post("/v1/repo/demo/targets/batch", {"targets": items}).status_code == 200
    assert alice.put(DEFAULT, {"config": {"temperature": 0.5}}).status_code == 200
    visitor.get("/")
    with monkeypatch.context() as patch:
        parses, processes = count_parses(patch), count_processes(patch)
        page = visitor.get(TREE)
    assert "1,000 drifted" in page.text
    assert len(parses) <= 25  # the targets that are drawn, and the default, unless it is known already
    assert processes == []
    assert len(page.data) < 150_000


def test_a_page_that_has_read_enough_says_what_it_did_not_read(tmp_path: Path):
    app = create_app(Settings(tmp_path / "data", master_key=MASTER_KEY, max_parsed=3000))
    master, visitor = Client(app, MASTER_KEY), Visitor(app)
    master.post("/v1/repo", {"repo_name": "demo"})
    for name in "abcdef":
        master.put(f"/v1/repo/demo/targets/{name}", made(temperature=0.5))
    visitor.post("/-/sign-in", token=MASTER_KEY)
    answer = visitor.get("/admin/demo/tree")
    assert answer.status_code == 200
    family = answer.text[answer.text.index('<div class="family">') :]
    assert family.count("overrides not read") == 4
    assert family.count("overrides temperature") == 2

"""The page of a repo: the table of targets, its CSV file, and what stands beside it."""

import csv
import re
from collections.abc import Callable
from html import unescape
from io import StringIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from storage.repository import Repository
from tests.app.api.helpers import new_token, new_user, put
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made
from tests.seams import count_parses, count_processes
from tests.server import MASTER_KEY
from tests.timeline import commit_by_hand

PAGE = "/alice/demo"
TARGETS = "/v1/repo/demo/targets"
_ROW = re.compile(r'<th scope="row"><a href="[^"]*">([^<]*)</a></th>')
_LINK = re.compile(r'<a [^>]*href="([^"]*)"[^>]*>([^<]*)</a>')
_TAG = re.compile(r"<[^>]*>")

SignIn = Callable[[str], Visitor]


def opened(visitor: Visitor, path: str = PAGE, status: int = 200, **query: str) -> str:
    """Return a page."""
    answer = visitor.get(f"{path}?{urlencode(query)}" if query else path)
    assert answer.status_code == status, answer.text
    return answer.text


def names(visitor: Visitor, **query: str) -> list[str]:
    """Return the names in the table, in its order."""
    return [unescape(name) for name in _ROW.findall(opened(visitor, **query))]


def link(page: str, text: str) -> str:
    """Return where the link with a text leads."""
    found = [unescape(address) for address, said in _LINK.findall(page) if unescape(said).strip() == text]
    assert found, f"there is no link '{text}'"
    return found[0]


def words(page: str) -> str:
    """Return the text of a page, on one line."""
    return " ".join(unescape(_TAG.sub(" ", page)).split())


def rows(visitor: Visitor, **query: str) -> list[list[str]]:
    """Return the lines of the CSV file."""
    answer = visitor.get(f"{PAGE}/targets.csv?{urlencode(query)}")
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8"), answer.text
    assert answer.headers["Content-Disposition"] == 'attachment; filename="demo.csv"'
    return list(csv.reader(StringIO(answer.text, newline="")))


def family(client: Client) -> None:
    """Make targets on two levels, one after the other."""
    put(client, "base", temperature=0.5, generators=[{"type": "oneshot_qs", "numq": 3}])
    put(client, "child", "base", temperature=1.5, model_name="Qwen/Qwen3-8B")
    put(client, "grandchild", "child", extra_kwargs={"a.b": 1})
    put(client, "other", max_tokens=5)


def test_the_table_tells_of_each_target_its_template_values_and_who_changed_it_last_and_why(
    visitor: Visitor, alice: Client
):
    family(alice)
    body = made("base", temperature=1.25)
    alice.put(f"{TARGETS}/child", body, X_Change_Reason="less%20noise")
    page = opened(visitor)
    [row] = re.findall(r'<tr>\s*<th scope="row"><a href="/alice/demo/targets/child">.*?</tr>', page, re.DOTALL)
    assert "<td>1.25</td>" in row
    assert '<a href="/alice/demo/targets/base">base</a>' in row
    assert re.search(r"Alice\s*: less noise$", words(row))
    assert page.count('<a href="/alice/demo/default">default</a>') == 2
    assert names(visitor) == ["base", "child", "grandchild", "other"]


def test_columns_are_chosen_and_stand_in_the_address(visitor: Visitor, alice: Client):
    family(alice)
    page = opened(visitor, fields="generators.0.numq,/extra_kwargs/a.b")
    assert 'name="fields" value="temperature">' in page  # offered, and not chosen
    for title in ("generators.0.numq", "/extra_kwargs/a.b"):
        assert "fields=generators.0.numq,/extra_kwargs/a.b" in link(page, title)
    by_boxes = visitor.get(f"{PAGE}?fields=temperature&fields=max_tokens&fields=").text  # as the form sends them
    assert "fields=temperature,max_tokens" in link(by_boxes, "temperature")
    assert 'value="temperature" checked' in by_boxes
    none = visitor.get(f"{PAGE}?fields=").text
    assert re.findall(r'<th scope="col"[^>]*><a [^>]*>([^<]*)</a>', none) == ["Name", "Template", "Last change"]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("target_name", ["base", "child", "grandchild", "other"]),
        ("-target_name", ["other", "grandchild", "child", "base"]),
        ("template", ["child", "grandchild", "base", "other"]),
        ("-template", ["base", "other", "grandchild", "child"]),
        ("temperature", ["base", "other", "child", "grandchild"]),
        ("-temperature", ["child", "grandchild", "other", "base"]),
        ("max_tokens", ["other", "base", "child", "grandchild"]),  # who has no value comes last
        ("-max_tokens", ["other", "base", "child", "grandchild"]),
        ("changed", ["child", "grandchild", "other", "base"]),
        ("-changed", ["base", "other", "grandchild", "child"]),
    ],
)
def test_the_table_is_sorted_by_each_column(visitor: Visitor, alice: Client, sort: str, found: list[str]):
    family(alice)
    put(alice, "base", temperature=0.25)
    assert names(visitor, sort=sort) == found
    assert [row[0] for row in rows(visitor, sort=sort)[1:]] == found
    assert names(visitor, sort=sort, where="temperature>0") == found


def test_heads_lead_to_the_other_order(visitor: Visitor, alice: Client):
    family(alice)
    page = opened(visitor, where="temperature>0")
    by_value = link(page, "temperature")
    assert names_at(visitor, by_value) == ["base", "other", "child", "grandchild"]
    page = visitor.get(by_value).text
    assert page.count("aria-sort") == 1
    assert 'aria-sort="ascending"><a' in page
    turned = link(page, "temperature")
    assert names_at(visitor, turned) == ["child", "grandchild", "other", "base"]
    assert 'aria-sort="descending"' in visitor.get(turned).text
    assert "where=temperature%3E0" in turned
    assert names_at(visitor, link(page, "Last change"))[0] == "other"  # the newest first


def names_at(visitor: Visitor, address: str) -> list[str]:
    return _ROW.findall(visitor.get(address).text)


@pytest.mark.parametrize(
    "query",
    [
        {"where": "temperature>1"},
        {"where": "model_name~QWEN3-8,temperature>0"},
        {"q": "CHILD"},
        {"template": "base"},
        {"descends_from": "base", "where": "max_tokens=null"},
        {"q": "nothing"},
    ],
)
def test_filters_are_those_of_the_api(visitor: Visitor, alice: Client, query: dict[str, str]):
    family(alice)
    answer = alice.get(f"{TARGETS}?{urlencode({**query, 'include': 'template'})}").json
    expected = [found["target_name"] for found in answer["targets"]]
    page = opened(visitor, **query)
    assert [unescape(name) for name in _ROW.findall(page)] == expected
    assert names_at(visitor, link(page, "Show all")) == ["base", "child", "grandchild", "other"]
    assert (f"of {len(expected)} target" if expected else "No target passes.") in words(page)


def test_mistakes_stand_at_their_fields(visitor: Visitor, alice: Client):
    family(alice)
    query = {"where": "temperatur>1", "q": "a b", "template": "-", "fields": "x", "sort": "y", "page": "0"}
    page = opened(visitor, status=422, **query)
    for name, said in (
        ("where", "did you mean 'temperature'?"),
        ("q", "This must be a part of a name"),
        ("template", "This name must start with a letter"),
        ("fields", "There is no field 'x'"),
    ):
        [error] = re.findall(rf'id="{name}-error">([^<]*)<', page)
        assert said in unescape(error)
        assert f'value="{query[name]}"' in unescape(page)
    alert = words(page.partition('role="alert">')[2].partition("</div>")[0])
    assert "sort: There is no field 'y'" in alert
    assert "page: " in alert
    assert "<table" not in page
    answer = visitor.get(f"{PAGE}/targets.csv?where=x")
    assert (answer.status_code, answer.location) == (303, f"{PAGE}?where=x")


def test_pages_have_numbers_and_lead_to_each_other(visitor: Visitor, alice: Client):
    items = [{"target_name": f"t{number:03}", **made(max_tokens=1 + number)} for number in range(230)]
    alice.post(f"{TARGETS}/batch", {"targets": items})
    page = opened(visitor, sort="-max_tokens")
    assert "1–100 of 230 targets" in words(page)
    assert "Previous" not in page
    page = visitor.get(link(page, "Next")).text
    assert _ROW.findall(page)[0] == "t129"
    last = visitor.get(link(page, "Last")).text
    assert "201–230 of 230 targets" in words(last)
    assert _ROW.findall(last)[-1] == "t000"
    assert names(visitor, sort="-max_tokens", page="99") == _ROW.findall(last)
    assert names_at(visitor, link(last, "First"))[0] == "t229"


def test_a_table_of_too_many_targets_says_so_and_goes_on(tmp_path: Path):
    app = create_app(Settings(tmp_path / "limited", master_key=MASTER_KEY, max_parsed=20_000))
    client = Client(app, Client(app, MASTER_KEY).post("/v1/admin/users", {"user_id": "alice"}).json["api_key"])
    client.post("/v1/repo", {"repo_name": "demo"})
    items = [{"target_name": f"t{number:03}", **made(extra_kwargs={"text": "x" * 300})} for number in range(100)]
    client.post(f"{TARGETS}/batch", {"targets": items})
    visitor = Visitor(app)
    visitor.post("/-/sign-in", token=client.token)
    found: list[str] = []
    page = opened(visitor, where="temperature>0")
    while "There are too many targets" in page:
        found += _ROW.findall(page)
        page = visitor.get(link(page, "Look at those that follow")).text
    assert [*found, *_ROW.findall(page)] == [item["target_name"] for item in items]
    assert visitor.get(f"{PAGE}/targets.csv").status_code == 413


def test_the_csv_file_has_all_that_the_table_shows(visitor: Visitor, alice: Client):
    family(alice)
    items = [{"target_name": f"t{number:03}", **made(model_name="=1+2")} for number in range(120)]
    commit = alice.post(f"{TARGETS}/batch", {"targets": items}, X_Change_Reason="many").headers["Git-Commit"]
    head, *found = rows(visitor, q="t", sort="-target_name", fields="model_name,extra_kwargs.x")
    assert head[:4] == ["target_name", "template", "model_name", "extra_kwargs.x"]
    assert [row[0] for row in found] == [f"t{number:03}" for number in range(119, -1, -1)] + ["other"]
    told = dict(zip(head, found[0], strict=True))
    assert (told["model_name"], told["changed_commit"], told["changed_reason"]) == ("'=1+2", commit, "many")


def test_an_older_state_has_the_table_of_then(visitor: Visitor, alice: Client):
    first = put(alice, "a", max_tokens=1)
    put(alice, "b")
    page = opened(visitor, ref=first, sort="-max_tokens")
    assert _ROW.findall(page) == ["a"]
    assert "You see the repo as it was at" in page
    assert f"ref={first}" in link(page, "Name")
    assert link(page, "a") == f"/alice/demo/targets/a?ref={first}"
    assert [row[0] for row in rows(visitor, ref=first)] == ["target_name", "a"]


def test_an_empty_repo_says_what_to_do_first(visitor: Visitor, master: Client, alice: Client, sign_in: SignIn):
    page = words(opened(visitor))
    assert "This repo has no target yet." in page
    assert "curl -sS 'http://localhost/v1/repo/demo/targets'" in page
    assert "No prompts yet." in page
    assert "No labels yet." in page
    assert "X-User-Id" not in page
    bob = sign_in(new_user(master, "bob").token)
    alice.put("/v1/repo/demo/grants/bob", {"access": "write"})
    assert "-H 'X-User-Id: alice'" in words(opened(bob))
    reader = sign_in(new_token(master, access="read").token)
    assert "curl" not in opened(reader)


def test_the_clone_command_can_be_copied(visitor: Visitor):
    page = opened(visitor)
    assert '<code id="clone">git clone http://localhost/git/alice/demo.git</code>' in page
    assert 'data-copy="clone" hidden' in page


def test_prompts_labels_and_tags_stand_beside_the_table(visitor: Visitor, alice: Client):
    first = put(alice, "a", max_tokens=1)
    put(alice, "a", max_tokens=2)
    for number in range(12):
        alice.put(f"/v1/repo/demo/prompts/p{number:02}", {"messages": []}, X_Change_Reason=f"prompt-{number}")
    alice.put("/v1/repo/demo/labels/production", {"ref": first, "reason": "evals are green"})
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    page = words(opened(visitor))
    assert f"production is at {first[:7]} of" in page
    assert "14 commits behind moved by Alice" in page
    assert "evals are green" in page
    assert re.search(r"v1 is at \w{7} of [-\d]+ [:\d]+ , the latest commit", page)
    assert "p09 Alice" in page
    assert "p10" not in page.partition("Prompts p00")[2]
    assert "prompt-3" in page


def test_the_latest_commits_tell_the_fields_that_changed(visitor: Visitor, alice: Client):
    put(alice, "a", max_tokens=1)
    body = made(max_tokens=2, temperature=0.5, teacher_prompt="x" * 100)
    alice.put(f"{TARGETS}/a", body, X_Change_Reason="two%20at%20once")
    page = opened(visitor)
    assert "<code>max_tokens</code>" in page
    assert re.search(r"max_tokens 1 → 2 ", words(page))
    assert "x" * 79 + "…" in page
    assert "two at once" in words(page)
    for number in range(8):
        put(alice, "a", max_tokens=10 + number)
    page = words(opened(visitor))
    assert page.count("a: max_tokens") == 7  # the first of the eight changed more
    assert "max_tokens 1 → 2 " in page
    put(alice, "a", max_tokens=100)
    assert "max_tokens 1 → 2 " in words(opened(visitor))  # the tenth
    put(alice, "a", max_tokens=101)
    assert "max_tokens 1 → 2 " not in words(opened(visitor))


def test_a_commit_of_many_files_tells_the_first_and_counts_the_others(visitor: Visitor, alice: Client):
    for tokens in (1, 2):
        items = [{"target_name": f"t{number}", **made(max_tokens=tokens)} for number in range(9)]
        alice.put(f"{TARGETS}/batch", {"targets": items})
    page = words(opened(visitor))
    assert "t0: max_tokens 1 → 2 t1: max_tokens 1 → 2 t2: max_tokens 1 → 2 and 6 more files" in page


def test_files_by_hand_do_no_harm(app: Flask, visitor: Visitor, alice: Client):
    family(alice)
    by_hand = f"config: {{temperature: 0.5}}\ntemplate: other\noverrides: {{}}\ntemplate_version: {'0' * 40!r}\n"
    commit_by_hand(
        app,
        {
            "targets/by hand.yml": by_hand.encode(),
            "targets/x.yml/y.yml": b"a: 1\n",
            "labels/odd.yml": b"a: 1\n",
            "labels/lost.yml": f"commit: {'1' * 40!r}\n".encode(),
        },
    )
    page = opened(visitor)
    assert _ROW.findall(page) == ["base", "by hand", "child", "grandchild", "other", "x"]
    assert link(page, "by hand") == "/alice/demo/targets/by%20hand"
    assert words(page).count("names no commit of this repo") == 2
    commit_by_hand(app, {"targets/bad.yml": b"no document"})
    answer = visitor.get(PAGE)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "targets/bad.yml" in answer.text


def test_texts_that_would_be_markup_show_as_text(visitor: Visitor, alice: Client):
    text = "<script>alert(1)</script>"
    alice.put(
        f"{TARGETS}/a",
        made(model_name=text, extra_kwargs={text: text}),
        X_Change_Reason="%3Cb%20onload=x%3E",
    )
    put(alice, "a", model_name=f"{text}2")
    for query in ({}, {"where": f'model_name="{text}2"'}, {"fields": "extra_kwargs"}):
        assert "<script>alert" not in opened(visitor, **query)
    assert "<b onload" not in opened(visitor)
    assert "<script>alert" not in opened(visitor, status=422, where=text, q=text, sort=text)


def test_a_stranger_a_guest_and_a_reading_token_see_what_the_api_shows_them(
    master: Client, alice: Client, visitor: Visitor, stranger: Visitor, sign_in: SignIn
):
    family(alice)
    assert stranger.get(PAGE).status_code == 303
    bob = sign_in(new_user(master, "bob").token)
    for path in (PAGE, f"{PAGE}/targets.csv", "/alice/none"):
        assert bob.get(path).status_code == 403
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert names(bob) == names(visitor)
    other = sign_in(new_token(master, name="other", repos=["else"]).token)
    assert other.get(PAGE).status_code == 403
    assert visitor.get("/alice/none").status_code == 404


@pytest.mark.usefixtures("no_checkpoints")
def test_a_page_after_a_write_reads_what_is_new_and_starts_no_process(
    visitor: Visitor, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    items = [{"target_name": f"t{number:03}", **made(extra_kwargs={"n": number})} for number in range(400)]
    alice.post(f"{TARGETS}/batch", {"targets": items})
    for address in ("?sort=-temperature", "?where=temperature>0", ""):
        visitor.get(f"{PAGE}{address}")
    put(alice, "t000", temperature=0.25)
    parses, processes = count_parses(monkeypatch), count_processes(monkeypatch)
    for address in ("?sort=-temperature", "?where=temperature>0&sort=changed", ""):
        assert visitor.get(f"{PAGE}{address}").status_code == 200
    assert processes == []
    assert len(parses) <= 8  # the new lines, and both versions of the file
    parses.clear()
    assert visitor.get(f"{PAGE}?sort=-temperature").status_code == 200
    assert len(parses) <= 1  # repo.yml


def test_a_full_page_is_small_but_for_its_data(visitor: Visitor, alice: Client):
    items = [{"target_name": f"t{number:03}", **made(max_tokens=1 + number)} for number in range(400)]
    alice.post(f"{TARGETS}/batch", {"targets": items})
    assert len(opened(visitor, sort="-max_tokens", page="2")) < 100_000


def test_to_sort_by_the_last_change_looks_for_no_position_of_a_commit(
    visitor: Visitor, alice: Client, monkeypatch: pytest.MonkeyPatch
):
    for number in range(20):
        put(alice, f"t-{number:02}", max_tokens=5)
    asked: list[str] = []
    position = Repository.position
    monkeypatch.setattr(Repository, "position", lambda *both: (asked.append(both[1]), position(*both))[1])
    assert names(visitor, sort="-changed") == [f"t-{number:02}" for number in reversed(range(20))]
    assert asked == []

"""The pages of runs: lists, the state of a run, its rows as conversations."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Connection, update

from app.runs.ledger.rows import Row, put_rows
from app.runs.ledger.tables import RUNS as TABLE
from tests.app.api.runs import (
    QUESTIONS,
    ROLLOUT,
    STIM,
    finish,
    make_target,
    runs_of,
    serve_models,
    start,
    working,
)
from tests.app.web.runs import RUNS, TARGET, carry_out
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.faulty_proxy import FaultyProxy
from tests.replies import AT_THE_LIMITS, CALLS, EMPTY, REFUSAL, TRUNCATED, UNPROCESSABLE, completion

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def rollout(app: Flask, alice: Client, proxy: FaultyProxy) -> str:
    """The page of a rollout whose first rows are special; there are two stimuli with ten trajectories each."""
    special = (
        UNPROCESSABLE,
        TRUNCATED,
        EMPTY,
        completion("So it is.", reasoning_content="Let me think."),
        completion(None, "tool_calls", tool_calls=CALLS),
        REFUSAL,
    )
    proxy.replies(*special)
    return carry_out(app, alice, proxy, num_traj_per_stimulus=10, max_concurrency=1)[1]


def test_the_runs_of_a_repo_and_of_a_target_are_listed_newest_first(visitor: Visitor, rollout: str):
    for address in ("/alice/demo/runs", RUNS):
        page = visitor.get(address)
        assert page.status_code == 200
        links = re.findall(rf'href="{TARGET}/runs/([0-9a-f]{{64}})">\s*(stim|rollout)', page.text)
        assert [kind for _, kind in links] == ["rollout", "stim"]
        assert links[0][0] == rollout.rpartition("/")[2]


def test_long_lists_go_on_in_other_pages(visitor: Visitor, alice: Client):
    for number in range(3):
        make_target(alice, generators=[{"type": "hardcoded", "questions": [f"{number}?"]}])
        start(alice, STIM)
    keys, address = [], f"{RUNS}?limit=2"
    while address:
        page = visitor.get(address).text
        keys += re.findall(r'runs/([0-9a-f]{64})">stim', page)
        found = re.search(r'href="([^"]+)">Older runs', page)
        address = found[1].replace("&amp;", "&") + "&limit=2" if found else None
    assert len(keys) == len(set(keys)) == 3
    assert visitor.get(f"{RUNS}?limit=1000").status_code == 422


def test_a_repo_without_runs_says_what_to_do_first(visitor: Visitor):
    assert "There are no runs. Open a target, and start its stim there" in visitor.get("/alice/demo/runs").text


def test_a_run_tells_what_happened(visitor: Visitor, alice: Client, rollout: str):
    status, page = alice.get(ROLLOUT).json, visitor.get(rollout).text
    counted = dict(re.findall(r'data-live="(\w+)">([^<]*)', page))
    assert counted["done"] == counted["total"] == "20"
    assert (counted["failed"], counted["truncated"], counted["empty"]) == ("1", "1", "1")
    assert (counted["requests"], counted["retries"], counted["repeated"]) == ("20", "0", "0")
    assert (counted["tokens_in"], counted["tokens_out"]) == (str(status["tokens_in"]), str(status["tokens_out"]))
    assert counted["cost"] == "no prices"
    for told in (
        status["commit"],
        status["rows_sha256"],
        status["manifest_commit"],
        status["key"],
        "with token initial",
    ):
        assert told in page
    assert "by Alice" in page
    assert "Ended" in page
    assert "stale" not in page


def test_rows_are_conversations_with_the_trajectories_of_a_stimulus_together(visitor: Visitor, rollout: str):
    page = visitor.get(rollout).text
    first, second = page.split('id="stimulus-1"')
    assert first.count("<strong>Trajectory ") == second.count("<strong>Trajectory ") == 10
    assert QUESTIONS[0] in first
    assert QUESTIONS[1] in second
    assert "Be kind." in first  # what the teacher sees
    assert "no prompt: the question alone" in first  # what the student sees
    assert "sent to the model" in first
    assert "No answer: " in first
    assert "temperature must be at most 2." in first
    assert "status 422" in first
    for told in ("truncated</span>", "empty</span>", "Let me think.", "So it is.", "look_up", "I must not.", "length"):
        assert told in first
    assert "An answer to: Why?" in second


def test_rows_come_in_pages(visitor: Visitor, rollout: str):
    address, found = f"{rollout}?limit=7", []
    while address:
        page = visitor.get(address).text
        found.append(page.count("<strong>Trajectory "))
        link = re.search(r'href="([^"]+)">More rows', page)
        address = link[1].replace("&amp;", "&") if link else None
    assert found == [7, 7, 6]
    beyond = visitor.get(f"{rollout}?offset=20")
    assert "There are only 20 rows." in beyond.text
    assert visitor.get(f"{rollout}?limit=101").status_code == 422


@pytest.mark.parametrize(
    ("query", "number", "told"),
    [
        ("q=an answer TO", 14, "An answer to"),
        ("q=let+me", 1, "Let me think."),
        ("q=look_up", 1, "calls a tool"),
        ("q=temperature+must", 1, "No answer: "),
        ("q=Why%3F", 10, QUESTIONS[1]),
        ("q=finish_reason", 0, "0 found in rows 1 to 20"),
        ("q=%25", 0, "0 found"),
        ("rows=failed", 1, "No answer: "),
        ("rows=truncated", 1, "truncated</span>"),
        ("rows=empty", 1, "empty</span>"),
        ("rows=failed&q=nothing", 0, "0 found"),
    ],
)
def test_rows_are_searched(visitor: Visitor, rollout: str, query: str, number: int, told: str):
    page = visitor.get(f"{rollout}?{query}").text
    assert page.count("<strong>Trajectory ") == number
    assert told in page


def test_a_row_has_a_page_of_its_own(visitor: Visitor, rollout: str):
    page = visitor.get(f"{rollout}/rows/3")
    assert page.status_code == 200
    assert page.text.count("<strong>Trajectory ") == 1
    assert "Let me think." in page.text
    assert visitor.get(f"{rollout}/rows/20").status_code == 404


def test_long_texts_are_cut_and_the_page_of_the_row_has_them_whole(
    app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy
):
    proxy.replies(completion("x" * 50_000 + "the end"))
    rollout = carry_out(app, alice, proxy, num_traj_per_stimulus=1)[1]
    page = visitor.get(rollout).text
    assert len(page) < 40_000
    assert "45,007 more characters" in page
    whole = re.search(r'href="([^"]+)">see the whole row', page)
    assert whole is not None
    assert "the end</pre>" in visitor.get(whole[1]).text


def test_prompts_of_many_messages_are_cut_and_say_how_many_more_there_are(
    app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy
):
    serve_models(app, proxy.url)
    make_target(alice, generators=[{"type": "hardcoded", "questions": [f"{number}?" for number in range(60)]}])
    messages = [{"role": "user", "content": f"message {number}."} for number in range(2000)]
    alice.put("/v1/repo/demo/prompts/t", {"messages": messages})
    with working(app):
        stim = f"{RUNS}/{finish(alice, STIM)['key']}"
    page = visitor.get(f"{stim}?limit=60").text
    assert page.count('<article class="card stimulus"') == 60
    assert page.count("message 19.") >= 60
    assert "message 20." not in page
    assert page.count("1,980 more messages: ") == page.count("message 0.") >= 60
    assert len(page) < 1_000_000
    whole = re.search(r'1,980 more messages: <a href="([^"]+)">see the whole row', page)
    assert whole is not None
    row = visitor.get(whole[1]).text
    assert "message 199." in row
    assert "message 200." not in row
    assert "1,800 more messages: the files of the run have them" in row


def test_texts_in_rows_that_would_be_markup_show_as_text(
    app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy
):
    calls = [{"type": "function", "function": {"name": HOSTILE, "arguments": HOSTILE}}, {HOSTILE: HOSTILE}, HOSTILE]
    proxy.replies(completion(HOSTILE, HOSTILE, reasoning_content=HOSTILE, refusal=HOSTILE, tool_calls=calls))
    questions = [{"type": "hardcoded", "questions": [HOSTILE]}]
    stim, rollout = carry_out(app, alice, proxy, generators=questions, num_traj_per_stimulus=1)
    for address in (stim, rollout, f"{rollout}/rows/0", f"{rollout}?q=%3Cscript%3E", f"{stim}?q=%22%3E%3Cscript%3E"):
        page = visitor.get(address).text
        assert "alert(1)" in page or "%3Cscript" not in address
        assert "<script>alert" not in page
        assert "<img" not in page
        assert " onerror=alert" not in page.replace("&lt;img src=x onerror=alert", "")


def test_answers_of_any_shape_are_shown(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    proxy.replies(
        AT_THE_LIMITS,
        completion([{"type": "text", "text": "a part"}]),
        completion({"a": "b"}),
        completion("odd", tool_calls="no list"),
        completion(None, tool_calls=[{"function": 3}, 5, None, {"function": {}}]),
        completion("thoughtful", reasoning_content={"why": ["because"]}),
        completion("unended", None),
    )
    rollout = carry_out(app, alice, proxy, num_traj_per_stimulus=4, max_concurrency=1)[1]
    page = visitor.get(rollout)
    assert page.status_code == 200
    for told in ("a part", "odd", "because", "thoughtful", "ended with no reason", "a tool"):
        assert told in page.text
    for position in range(8):
        assert visitor.get(f"{rollout}/rows/{position}").status_code == 200


def test_stale_is_said_plainly(visitor: Visitor, alice: Client, rollout: str):
    commit = alice.get(ROLLOUT).json["commit"]
    make_target(alice, generators=[{"type": "hardcoded", "questions": ["New?"]}])
    page = visitor.get(rollout).text
    assert "<strong>Stale.</strong>" in page
    assert "The target as it is now would be another run" in page
    assert commit[:7] in page
    link = re.search(r'href="([^"]+)">Compare the target then with now', page)
    assert link is not None
    compared = visitor.get(link[1].replace("&amp;", "&"))
    assert compared.status_code == 200
    assert "generators" in compared.text
    assert "New" in compared.text
    overview = visitor.get(RUNS).text
    assert overview.count('<span class="badge warn">stale</span>') == 2
    then = visitor.get(f"{RUNS}?ref={commit}").text
    assert '<span class="badge good">complete</span>' in then
    alice.delete("/v1/repo/demo/targets/a")
    assert "There is no target a any more." in visitor.get(rollout).text
    assert "Its runs stay." in visitor.get(RUNS).text


def test_what_is_not_there_is_answered_404(visitor: Visitor, rollout: str):
    for address in (f"{RUNS}/{'0' * 64}", f"{RUNS}/short", f"{rollout}/files/rows.xml", "/alice/demo/targets/b/runs/x"):
        answer = visitor.get(address)
        assert (answer.status_code, answer.mimetype) == (404, "text/html"), address


def test_a_stranger_sees_nothing_and_a_guest_what_was_shared(
    master: Client, alice: Client, stranger: Visitor, sign_in: Callable[[str], Visitor], rollout: str
):
    bob = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
    addresses = [RUNS, "/alice/demo/runs", rollout, f"{rollout}/rows/0", f"{rollout}/files/rows.csv"]
    addresses += [f"{rollout}/events", f"{rollout}/progress"]
    for address in addresses:
        assert stranger.get(address).status_code == 303
        assert bob.get(address).status_code == 403
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    for address in addresses:
        page = bob.get(address)
        assert page.status_code == 200
        assert "Delete the run" not in page.text
        assert "Start the" not in page.text


def test_a_hundred_thousand_rows_are_searched_a_part_at_a_time(app: Flask, visitor: Visitor, alice: Client):
    make_target(alice)
    stim = start(alice, STIM)
    runs, number = runs_of(app), 100_000
    made = [Row(each, 0, f'{{"generator":0,"question":"Is {each} odd?"}}') for each in range(2, number)]
    with runs.database.begin() as connection:
        fill(connection, stim["job_id"], made, number)
    address, pages, found = f"{RUNS}/{stim['key']}?q=Is+99998", 0, False
    while not found:
        page = visitor.get(address).text
        pages += 1
        found = "Is 99998 odd?" in page
        link = re.search(r'href="([^"]+)">Look further', page)
        assert found or link, "the search ended too early"
        address = address if link is None else link[1].replace("&amp;", "&")
    assert pages == 5  # 20,000 rows each


def fill(connection: Connection, run_id: int, made: list[Row], number: int) -> None:
    """Add rows to a run behind its back."""
    put_rows(connection, run_id, made)
    connection.execute(update(TABLE).where(TABLE.c.id == run_id).values(total=number, done=number, listed=number))

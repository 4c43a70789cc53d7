"""Progress of a run as it happens: events, and the same as JSON."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from app.runs.ledger.tables import RUNS as TABLE
from app.web.runs import live
from tests.app.api.runs import ROLLOUT, STIM, make_target, perform_all, runs_of, serve_models, start
from tests.app.web.runs import RUNS
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.faulty_proxy import FaultyProxy
from tests.replies import TRUNCATED


@pytest.fixture
def rollout(app: Flask, alice: Client, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page of a rollout that no worker carries out."""
    monkeypatch.setattr(live, "_LOOK", 0.01)
    monkeypatch.setattr(live, "_BEAT", 0.02)
    serve_models(app, proxy.url)
    make_target(alice)
    start(alice, STIM)
    return f"{RUNS}/{start(alice, ROLLOUT)['key']}"


def opened(visitor: Visitor, rollout: str) -> Iterator[tuple[str, Any]]:
    """Open a stream, and yield its events; a beat is one without a name."""
    answer = visitor.client.get(f"{rollout}/events", buffered=False)
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    for piece in answer.response:
        assert piece.endswith(b"\n\n")
        found = re.fullmatch(rb"event: (\w+)\ndata: (.*)\n\n", piece)
        if found:
            yield found[1].decode(), json.loads(found[2])
        elif piece.startswith(b":"):
            yield "", None
        else:
            assert piece == b"retry: 1000\n\n"
    answer.close()


def events(visitor: Visitor, rollout: str) -> list[tuple[str, Any]]:
    return list(opened(visitor, rollout))


def test_events_tell_changes_alone_and_end_with_the_run(app: Flask, visitor: Visitor, rollout: str, proxy: FaultyProxy):
    proxy.replies(TRUNCATED)
    stream = opened(visitor, rollout)
    name, told = next(stream)
    assert (name, told["is_over"], told["percent"], told["texts"]["done"]) == ("progress", False, 0, "0")
    assert told["say"] == "The run goes on."
    assert [next(stream)[0] for _ in range(2)] == ["", ""]  # nothing has changed
    perform_all(app)
    rest = list(stream)
    assert [name for name, _ in rest if name] == ["progress", "over"]
    last = next(told for name, told in rest if name == "progress")
    assert last["is_over"]
    assert (last["texts"]["done"], last["texts"]["truncated"], last["texts"]["state"]) == ("6", "1", "complete")
    assert last["say"] == "The run is complete: 6 of 6 rows are there."


def test_a_stream_of_a_run_that_is_over_ends_at_once(app: Flask, visitor: Visitor, rollout: str):
    perform_all(app)
    found = events(visitor, rollout)
    assert [name for name, _ in found] == ["progress", "over"]
    assert found[0][1] == visitor.get(f"{rollout}/progress").json


def test_a_stream_ends_after_some_time(visitor: Visitor, rollout: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "_LONGEST", 0.2)
    assert {name for name, _ in events(visitor, rollout)} == {"progress", ""}


def test_milestones_are_told_and_not_each_row(app: Flask, visitor: Visitor, rollout: str):
    said = []
    for done in (1, 2, 3, 4, 5):
        with runs_of(app).database.begin() as connection:
            connection.execute(update(TABLE).where(TABLE.c.kind == "rollout").values(done=done))
        said.append(visitor.get(f"{rollout}/progress").json["say"])
    assert [re.sub(r"\D", "", each) for each in said] == ["", "25", "50", "50", "75"]


def test_a_second_stream_of_a_user_is_told_to_look_by_itself(app: Flask, visitor: Visitor, rollout: str):
    first = opened(visitor, rollout)
    next(first)
    assert [name for name, _ in events(visitor, rollout)] == ["busy"]
    assert visitor.get(f"{rollout}/progress").json["texts"]["done"] == "0"
    perform_all(app)
    list(first)
    assert [name for name, _ in events(visitor, rollout)] == ["progress", "over"]


def test_a_stream_makes_room_where_threads_are_scarce(app: Flask, visitor: Visitor, rollout: str):
    stream, turns = opened(visitor, rollout), app.extensions["bakehouse"].turns
    next(stream)
    ends = [turns.stream("bob") for _ in range(4)]
    assert [name for name, _ in stream if name] == ["busy"]
    for end in ends:
        end()


def test_a_revoked_token_ends_its_stream(visitor: Visitor, alice: Client, rollout: str):
    stream = opened(visitor, rollout)
    next(stream)
    alice.delete("/v1/tokens/initial")
    [(name, told)] = [found for found in stream if found[0]]
    assert name == "refused"
    assert "was revoked" in told


def test_a_stream_of_a_run_that_was_deleted_ends(app: Flask, visitor: Visitor, rollout: str):
    stream = opened(visitor, rollout)
    next(stream)
    with runs_of(app).database.begin() as connection:
        connection.execute(delete(TABLE).where(TABLE.c.kind == "rollout"))
    assert [name for name, _ in stream if name] == ["over"]


def test_a_stream_whose_ledger_is_away_is_told_to_look_by_itself(app: Flask, visitor: Visitor, rollout: str):
    stream = opened(visitor, rollout)
    next(stream)
    folder = app.extensions["bakehouse"].settings.data_dir
    runs_of(app).database.close()
    (folder / "runs.sqlite").rename(folder / "away")
    assert [name for name, _ in stream if name] == ["busy"]
    assert visitor.get(f"{rollout}/progress").status_code == 503


def test_a_head_request_takes_no_place(app: Flask, visitor: Visitor, rollout: str):
    assert visitor.client.head(f"{rollout}/events").status_code == 200
    app.extensions["bakehouse"].turns.watch("alice")()

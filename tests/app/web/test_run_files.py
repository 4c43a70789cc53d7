"""The rows of a run as files: the same bytes as the API sends, with the cookie."""

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS
from tests.app.api.runs import ROLLOUT, STIM, make_target
from tests.app.web.runs import carry_out
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.faulty_proxy import FaultyProxy
from tests.replies import EMPTY

FILES = {
    "rows.jsonl": ("application/x-ndjson", ""),
    "rows.csv": ("text/csv", ""),
    "rows.parquet": ("application/vnd.apache.parquet", ""),
    "openai.jsonl": ("application/x-ndjson", "?format=openai"),
    "batch.jsonl": ("application/x-ndjson", "?format=batch"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_the_api_sends(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy, name: str):
    media_type, query = FILES[name]
    if name == "rows.parquet":
        pytest.importorskip("pyarrow")
    proxy.replies(EMPTY)
    pages = dict(zip((STIM, ROLLOUT), carry_out(app, alice, proxy), strict=True))
    for address, page in pages.items():
        answer = visitor.get(f"{page}/files/{name}")
        if (address, name) == (STIM, "openai.jsonl"):
            assert answer.status_code == 404
            assert name not in visitor.get(page).text
            continue
        assert (answer.status_code, answer.mimetype) == (200, media_type)
        assert answer.data == alice.get(f"{address}/rows{query}", Accept=media_type).data
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=a-")
        assert f'{page}/files/{name}">{name}</a>' in visitor.get(page).text


def test_a_file_takes_one_of_the_users_places(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    _, rollout = carry_out(app, alice, proxy)
    turns, taken = app.extensions["bakehouse"].turns, []
    begin = turns.stream

    def counted(user: str) -> object:
        end = begin(user)
        taken.append("begun")
        return lambda: (taken.append("ended"), end())

    turns.stream = counted
    assert visitor.get(f"{rollout}/files/rows.jsonl").status_code == 200
    assert taken == ["begun", "ended"]


def test_requests_of_a_stim_whose_target_names_no_model_are_refused(
    app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy
):
    stim, _ = carry_out(app, alice, proxy)
    make_target(alice, model_name=None)
    answer = visitor.get(f"{stim}/files/batch.jsonl")
    assert answer.status_code == 400
    assert "model_name: a request needs the name of the model that answers." in answer.text
    alice.delete(f"{TARGETS}/a")
    assert visitor.get(f"{stim}/files/batch.jsonl").status_code == 404
    assert visitor.get(f"{stim}/files/rows.jsonl").status_code == 200

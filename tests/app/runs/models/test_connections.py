"""Connections to an endpoint: they stay open, and go through the proxy of the environment."""

from urllib.parse import urlsplit

import pytest

from app.runs.ledger.limits import Limits
from app.runs.models.answers import Answer
from app.runs.models.endpoints import Endpoint
from app.runs.models.verdicts import Refused
from tests import replies
from tests.app.runs.models.asked import ask_all
from tests.faulty_proxy import FaultyProxy


def test_there_are_as_many_connections_as_requests_at_once_and_they_stay_open(proxy: FaultyProxy, limits: Limits):
    proxy.delay = 0.05
    asked = ask_all(limits, Endpoint("fast", proxy.url, ("*",)), 12, at_most=3)
    assert all(isinstance(outcome, Answer) for outcome in asked.outcomes)
    assert (len(proxy.seen), proxy.most_at_once, proxy.connections) == (12, 3, 3)


def test_a_connection_that_broke_is_replaced(proxy: FaultyProxy, limits: Limits):
    proxy.replies(None, replies.HANG_UP)
    asked = ask_all(limits, Endpoint("fast", proxy.url, ("*",)), 3)
    assert all(isinstance(outcome, Answer) for outcome in asked.outcomes)
    assert (len(proxy.seen), proxy.connections) == (4, 2)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_requests_go_through_the_proxy_of_the_environment(
    proxy: FaultyProxy, limits: Limits, monkeypatch: pytest.MonkeyPatch, variable: str
):
    monkeypatch.setenv(variable, f"http://{urlsplit(proxy.url).netloc}")
    elsewhere = Endpoint("elsewhere", "http://model.invalid/v1", ("*",))
    (outcome,) = ask_all(limits, elsewhere).outcomes
    assert isinstance(outcome, Answer)
    assert [seen.path for seen in proxy.seen] == ["http://model.invalid/v1/chat/completions"]
    monkeypatch.setenv("NO_PROXY", "model.invalid")
    (outcome,) = ask_all(limits, elsewhere).outcomes
    assert isinstance(outcome, Refused)
    assert (outcome.type, len(proxy.seen)) == ("connection", 1)

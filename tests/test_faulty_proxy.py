"""The proxy of faults fails as it is told, and counts what it sees; the model behind it is real."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

import httpx2
import pytest

from tests import replies
from tests.faulty_proxy import FaultyProxy, certificate, needs_openssl
from tests.models import MODEL

QUESTION = {"model": MODEL, "messages": [{"role": "user", "content": "Is bread good?"}], "max_tokens": 5}


def ask(proxy: FaultyProxy, **more: object) -> httpx2.Response:
    return httpx2.post(f"{proxy.url}/chat/completions", json=QUESTION | more, timeout=60)


def test_it_answers_by_itself_and_keeps_what_it_saw(proxy: FaultyProxy):
    answer = ask(proxy).json()
    assert answer["choices"][0]["message"]["content"] == "An answer to: Is bread good?"
    assert proxy.bodies() == [QUESTION]
    assert (proxy.seen[0].method, proxy.seen[0].path) == ("POST", "/v1/chat/completions")
    assert proxy.seen[0].headers["content-type"] == "application/json"


def test_replies_come_in_their_order_and_then_its_own(proxy: FaultyProxy):
    date = formatdate(time.time() + 9, usegmt=True)
    proxy.replies(replies.throttled(date), None, replies.BUSY)
    answers = [ask(proxy) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 200, 503, 200]
    assert answers[0].headers["Retry-After"] == date


def test_it_cuts_bodies_and_hangs_up(proxy: FaultyProxy):
    proxy.replies(replies.CUT_BODY, replies.HANG_UP)
    for _ in range(2):
        with pytest.raises(httpx2.RemoteProtocolError):
            ask(proxy)
    assert ask(proxy).is_success


def test_it_stalls_until_the_client_gives_up(proxy: FaultyProxy):
    proxy.replies(replies.STALL)
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(f"{proxy.url}/chat/completions", json=QUESTION, timeout=0.2)
    assert ask(proxy).is_success
    assert proxy.most_at_once == 1


def test_it_counts_the_requests_that_are_out_at_once(proxy: FaultyProxy):
    proxy.delay = 0.3
    with ThreadPoolExecutor(3) as threads:
        assert all(answer.is_success for answer in threads.map(lambda _: ask(proxy), range(6)))
    assert proxy.most_at_once == 3
    assert len(proxy.seen) == 6


@needs_openssl
def test_its_certificate_is_of_nobody_that_a_client_knows(tmp_path: Path):
    with FaultyProxy(tls=certificate(tmp_path)) as proxy, pytest.raises(httpx2.ConnectError, match="CERTIFICATE"):
        ask(proxy)
    assert proxy.seen == []


def test_it_can_take_its_port_again():
    with FaultyProxy() as first:
        ask(first)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", first.port)):
        pass
    with FaultyProxy(port=first.port) as again:
        assert ask(again).is_success


@pytest.mark.slow
def test_it_passes_on_to_a_real_model_what_it_is_not_told_to_answer(model_proxy: FaultyProxy):
    model_proxy.replies(replies.BROKEN)
    assert ask(model_proxy).status_code == 500
    answer = ask(model_proxy).json()
    assert answer["usage"]["completion_tokens"] == 5
    assert answer["choices"][0]["finish_reason"] == "length"
    too_long = ask(model_proxy, messages=[{"role": "user", "content": "bread " * 2000}])
    assert too_long.status_code == 400
    assert httpx2.get(f"{model_proxy.url}/models").json()["object"] == "list"

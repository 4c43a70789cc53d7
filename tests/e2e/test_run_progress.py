"""Progress of runs from a real server: it answers everybody, however many tabs follow a run."""

import http.cookiejar
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import User, new_user
from tests.faulty_proxy import FaultyProxy
from tests.seams import wait_until
from tests.server import Server, running

QUESTIONS = [f"What is {number}?" for number in range(20)]
THREADS = 8

pytestmark = pytest.mark.slow


class Browser:
    """The browser of a user who signed in, with tabs that follow a run."""

    def __init__(self, user: User, page: str) -> None:
        self.user, self.page = user, page
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        with opener.open(f"{user.server.url}/-/sign-in", timeout=60) as form:
            token = re.search(r'name="csrf_token" value="([^"]+)"', form.read().decode())
        assert token
        sent = urllib.parse.urlencode({"csrf_token": token[1], "token": user.token}).encode()
        with opener.open(f"{user.server.url}/-/sign-in", sent, timeout=60):
            pass
        self.cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)

    @contextmanager
    def get(self, path: str) -> Iterator[HTTPResponse]:
        """Yield what a tab is answered; the connection is the tab's own, and closed at the end."""
        connection = HTTPConnection("127.0.0.1", self.user.server.port, timeout=60)
        with closing(connection):
            connection.request("GET", path, headers={"Cookie": self.cookie})
            with connection.getresponse() as answer:
                yield answer

    def status(self, path: str) -> int:
        """Return the status of an answer."""
        with self.get(path) as answer:
            return answer.status

    @contextmanager
    def following(self) -> Iterator[Iterator[tuple[str, Any]]]:
        """Open a tab, and yield the events that it gets until the server ends them."""
        with self.get(f"{self.page}/events") as answer:
            assert (answer.status, answer.headers.get_content_type()) == (200, "text/event-stream")
            yield _events(answer)

    def names(self) -> list[str]:
        """Return the names of all events that a new tab gets."""
        with self.following() as stream:
            return [name for name, _ in stream]


def _events(answer: HTTPResponse) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer:
        if line.startswith(b"event: "):
            name = line[7:].decode().strip()
        elif line.startswith(b"data: "):
            yield name, json.loads(line[6:])


@pytest.fixture
def server(tmp_path: Path, proxy: FaultyProxy) -> Iterator[Server]:
    """A server with one worker for the web, and none for runs."""
    (tmp_path / "data").mkdir()
    entry = {"name": "fast", "base_url": proxy.url, "models": ["*"]}
    (tmp_path / "data/endpoints.yml").write_text(json.dumps([entry]))
    with running(tmp_path / "data", workers="1", threads=str(THREADS)) as server:
        yield server


def rollout(server: Server) -> Browser:
    """Make a user whose rollout goes on, and return the user's browser."""
    user = new_user(server)
    user.call("PUT", "/v1/repo/demo/prompts/t", {"messages": [{"role": "system", "content": "Be kind."}]})
    generators = [{"type": "hardcoded", "questions": QUESTIONS}]
    overrides = {"teacher_prompt": "t", "student_prompt": "", "generators": generators, "model_name": "m"}
    user.call(
        "PUT", "/v1/repo/demo/targets/a", {"template": "default", "overrides": overrides | {"max_concurrency": 1}}
    )
    user.call("POST", "/v1/repo/demo/targets/a/stim")
    key = user.call("POST", "/v1/repo/demo/targets/a/rollout")["key"]
    return Browser(user, f"/{user.id}/demo/targets/a/runs/{key}")


def test_many_tabs_leave_the_server_to_others(server: Server):
    with ExitStack() as tabs_that_stay_open:
        first = []
        for browser in [rollout(server) for _ in range(3)]:
            streams = [tabs_that_stay_open.enter_context(browser.following()) for _ in range(10)]
            first += [next(stream)[0] for stream in streams]
            for _ in range(THREADS):
                assert browser.user.call("GET", "/v1/repo")
                assert browser.status(f"{browser.page}/progress") == 200
    assert set(first) == {"progress", "busy"}
    assert first.count("progress") >= 2


def test_a_stream_takes_a_thread_and_gives_it_back_when_the_tab_is_closed(server: Server):
    browser = rollout(server)
    with browser.following() as stream:
        assert next(stream)[0] == "progress"
        assert browser.names() == ["busy"]

    def is_free() -> bool:
        with browser.following() as stream:
            return next(stream)[0] == "progress"

    wait_until(is_free)


def test_a_revoked_token_ends_its_streams_soon(server: Server):
    browser = rollout(server)
    with browser.following() as stream:
        assert next(stream)[0] == "progress"
        browser.user.call("DELETE", "/v1/tokens/initial")
        assert [name for name, _ in stream] == ["refused"]
    assert browser.status(f"{browser.page}/events") == 303


def test_a_server_that_is_to_stop_does_not_wait_for_streams(server: Server):
    with rollout(server).following() as stream:
        assert next(stream)[0] == "progress"
        server.process.terminate()
        assert [name for name, _ in stream] == ["busy"]
    assert server.process.wait(timeout=60) == 0


def test_a_stream_follows_a_run_to_its_end(tmp_path: Path, proxy: FaultyProxy):
    (tmp_path / "data").mkdir()
    entry = {"name": "fast", "base_url": proxy.url, "models": ["*"]}
    (tmp_path / "data/endpoints.yml").write_text(json.dumps([entry]))
    proxy.delay = 0.2
    with running(tmp_path / "data", workers="1", run_workers="1") as server:
        browser = rollout(server)
        done, is_over, deadline = [0], False, time.monotonic() + 120
        while not is_over:  # a stream ends after 20 seconds, and the browser asks for the next one
            assert time.monotonic() < deadline
            with browser.following() as stream:
                for name, told in stream:
                    is_over |= name == "over"
                    done += [int(told["texts"]["done"])] if name == "progress" else []
        assert done == sorted(done)
        assert len(set(done)) > 3
        assert done[-1] == len(QUESTIONS)

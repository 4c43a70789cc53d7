"""Pages in a repo of 10,000 targets and 100,000 commits, beside the answers of the API that say the same."""

import http.client
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from tests.benchmarks import histories
from tests.benchmarks.load import Client
from tests.benchmarks.rates import SWEEP, batch
from tests.benchmarks.table import beside, in_turns, with_error

COMMITS, TARGETS = 100_000, 10_000
OLD, AT_ONCE = 1_000, 500  # targets that the commits change, and those that come in one commit at the end
REQUESTS, ROUNDS = 5, 9
REPO = "pages"
MOST_TIMES = 3
MOST_KB = 150
MOST_SECONDS = 2

_AFTER_A_WRITE = ", the first after a write"
_numbers = count(1)


def rows(client: Client, data_dir: Path) -> Iterator[str]:
    """Yield rows for the pages that have a goal beside the API, then the others, then the bytes of all."""
    browser, middle = Browser(client), _make_repo(client, data_dir)
    name = histories.CHAIN[0]
    pages = {"target": f"targets/{name}", "repo": ""}
    columns = "fields=model_name,temperature,max_tokens&include=template,changed&limit=100"
    answers = {"target": f"targets/{name}/explain", "repo": f"targets?{columns}"}
    others = {
        "family tree": "tree",
        "history": "history",
        "history of a target": f"targets/{name}/history",
        "compare of the repo": f"compare/{middle}...main",
    }
    for what, page in {**pages, **others}.items():
        yield _cold(browser, what, page)
    for moving in (False, True):
        for what, page in pages.items():
            yield _beside(client, browser, (what, page), answers[what], moving=moving)
    for moving in (False, True):
        yield from _alone(client, browser, others, moving=moving)
    for what, page in {**pages, **others}.items():
        size = len(browser.get(_address(page))) / 1000
        yield f"{f'{what}, bytes of the page':44}{size:9.1f} kB; goal at most {MOST_KB}, but for its data\n"


def _make_repo(client: Client, data_dir: Path) -> str:
    """Make the repo, and return a commit that some changes have followed."""
    client.send([client.request("POST", "/v1/repo", {"repo_name": REPO})])
    batches = (TARGETS - OLD) // AT_ONCE
    histories.write(data_dir / "repos" / "admin" / f"{REPO}.git", COMMITS - batches, targets=OLD)
    middle = client.ask("GET", f"/v1/repo/{REPO}/log?limit=100")["commits"][-1]["commit"]
    client.send([batch(client, REPO, SWEEP, AT_ONCE) for _ in range(batches)])
    return str(middle)


class Browser:
    """A signed-in browser that loads pages and nothing else."""

    def __init__(self, client: Client) -> None:
        """Sign in with the client's token."""
        self._client, self._cookie = client, ""
        form = self.get("/").decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert token is not None
        self._send("POST", "/-/sign-in", urlencode({"token": client.token, "csrf_token": token[1]}))

    def get(self, path: str) -> bytes:
        """Return a page; RuntimeError unless there is one."""
        return self._send("GET", path)

    def request(self, path: str) -> bytes:
        """Return the bytes of a request."""
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self._cookie}\r\n\r\n".encode()

    def _send(self, method: str, path: str, body: str = "") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._client.port)
        headers = {"Host": "localhost", "Cookie": self._cookie}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status not in (200, 303):
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:600].decode()}")
        self._cookie = (answer.headers["Set-Cookie"] or self._cookie).partition(";")[0]
        return content


def _cold(browser: Browser, what: str, page: str) -> str:
    """Measure the first time that a server sends a page: the first pages find out what the later ones know."""
    began = time.monotonic()
    browser.get(_address(page))
    return f"{f'{what}, the first time':44}{(time.monotonic() - began) * 1000:9.0f} ms\n"


def _beside(client: Client, browser: Browser, page: tuple[str, str], answer: str, *, moving: bool) -> str:
    """Measure a page and an answer in turns; where the tip is `moving`, a target is written before each."""
    requests = {
        "page": browser.request(_address(page[1])),
        "answer": client.request("GET", f"/v1/repo/{REPO}/{answer}"),
    }
    found = _measure(client, requests, moving=moving)
    title = f"{page[0]}, page{_AFTER_A_WRITE if moving else ''}"
    yardstick = f"  the API: {answer.partition('?')[0]}"
    return beside(title, found["page"], yardstick, found["answer"], f"goal at most {MOST_TIMES}", unit="ms")


def _alone(client: Client, browser: Browser, pages: Mapping[str, str], *, moving: bool) -> Iterator[str]:
    requests = {what: browser.request(_address(page)) for what, page in pages.items()}
    for what, figures in _measure(client, requests, moving=moving).items():
        title = f"{what}, page{_AFTER_A_WRITE if moving else ''}"
        yield f"{title:44}{with_error(figures, 2)} ms; goal at most {MOST_SECONDS} s\n"


def _measure(client: Client, requests: Mapping[str, bytes], *, moving: bool) -> Mapping[str, Sequence[float]]:
    """Return the milliseconds of requests, all in each round; where the tip is `moving`, after a write each."""

    def write() -> bytes:
        body = {"template": "default", "overrides": {"max_tokens": next(_numbers)}}
        return client.request("PUT", f"/v1/repo/{REPO}/targets/old-0000", body)

    def median(request: bytes) -> float:
        return statistics.median(client.latencies([request] * REQUESTS, write if moving else None))

    return in_turns({what: partial(median, request) for what, request in requests.items()}, ROUNDS)


def _address(page: str) -> str:
    return f"/admin/{REPO}/{page}".removesuffix("/")

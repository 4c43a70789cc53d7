"""A server behind a proxy that gives it a path of its own: https://host/bakehouse."""

import html
import http.client
import json
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.e2e.conftest import Git
from tests.payloads import target
from tests.server import MASTER_KEY, Server, running

PREFIX = "/tools/bakehouse"
HEADERS = {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}


class Proxy(BaseHTTPRequestHandler):
    """A proxy that takes the prefix away, and answers 404 to all else."""

    server_port = 0

    def forward(self) -> None:
        if not self.path.startswith(PREFIX + "/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        inner = http.client.HTTPConnection("127.0.0.1", self.server_port, timeout=60)
        inner.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers))
        answer = inner.getresponse()
        content = answer.read()
        inner.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name not in ("Connection", "Transfer-Encoding", "Content-Length", "Server", "Date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = forward  # noqa: N815 — the names of http.server

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def public_url(tmp_path: Path) -> Iterator[str]:
    """The address of a server behind a proxy."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    url = f"http://127.0.0.1:{proxy.server_port}{PREFIX}"
    with running(tmp_path / "data", public_url=f"{url}/") as server:
        proxy.RequestHandlerClass = type("_", (Proxy,), {"server_port": server.port})
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        yield url
        proxy.shutdown()
        proxy.server_close()
        thread.join()


def ask(method: str, url: str, body: object = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, HEADERS, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status, response.headers, response.read()


def test_locations_lead_to_what_was_made(public_url: str):
    repo = f"{public_url}/v1/repo"
    for url, body in (
        (repo, {"repo_name": "demo"}),
        (f"{repo}/demo/targets", target("a")),
        (f"{repo}/demo/prompts", {"prompt_name": "p", "messages": [{"role": "user", "content": "x"}]}),
        (f"{repo}/demo/tags", {"name": "v1"}),
    ):
        status, headers, made = ask("POST", url, body)
        assert status == 201
        assert headers["Location"].startswith(f"{PREFIX}/v1/repo/")
        _, _, found = ask("GET", urljoin(url, headers["Location"]))
        assert json.loads(found).items() <= json.loads(made).items()


def test_the_document_names_the_public_address(public_url: str):
    document = json.loads(ask("GET", f"{public_url}/openapi.json")[2])
    (server,) = document["servers"]
    assert server == {"url": public_url}
    assert ask("GET", server["url"] + "/v1/health")[0] == 200


def test_the_docs_page_and_all_that_it_loads_are_found(public_url: str):
    page = ask("GET", f"{public_url}/docs")[2].decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) >= 5
    script = ask("GET", urljoin(f"{public_url}/docs", "docs/docs.js"))[2].decode()
    links += re.findall(r'url: "([^"]+)"', script)
    for link in links:
        assert ask("GET", urljoin(f"{public_url}/docs", link))[0] == 200


def test_an_unknown_address_names_the_docs_page(public_url: str):
    with pytest.raises(urllib.request.HTTPError) as caught:
        ask("GET", f"{public_url}/nowhere")
    with caught.value as error:
        assert f"listed at {PREFIX}/docs." in json.load(error)["message"]


def test_a_clone_url_leads_to_the_repo(public_url: str, git: Git, tmp_path: Path):
    made = json.loads(ask("POST", f"{public_url}/v1/repo", {"repo_name": "demo"})[2])
    assert made["clone_url"] == f"{public_url}/git/admin/demo.git"
    git("clone", made["clone_url"].replace("http://", f"http://admin:{MASTER_KEY}@"), "clone")
    assert (tmp_path / "clone/repo.yml").exists()


def test_without_a_public_url_the_address_of_the_request_counts(server: Server):
    assert json.loads(ask("GET", f"{server.url}/openapi.json")[2])["servers"] == [{"url": "/"}]


def test_pages_lead_to_addresses_behind_the_proxy(public_url: str):
    ask("POST", f"{public_url}/v1/repo", {"repo_name": "demo"})
    ask("POST", f"{public_url}/v1/repo/demo/targets", target("a"))
    cookies = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def visit(url: str, **form: str) -> tuple[str, str]:
        data = urllib.parse.urlencode(form).encode() if form else None
        with cookies.open(url, data, timeout=60) as response:
            return response.url, response.read().decode()

    asked = f"{public_url}/admin/demo/targets/a?ref=main"
    url, page = visit(asked)
    assert url.startswith(f"{public_url}/-/sign-in?next=")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    action = html.unescape(re.search(r'<form method="post" action="([^"]+)"', page)[1])
    url, page = visit(urljoin(public_url, action), csrf_token=token, token=MASTER_KEY)
    assert url == asked
    links = {html.unescape(link) for link in re.findall(r'(?:src|href|action)="([^"#]+)', page)}
    assert len(links) >= 15
    assert [link for link in links if not link.startswith(f"{PREFIX}/")] == []
    for link in links - {f"{PREFIX}/-/sign-out"}:
        assert visit(urljoin(public_url, link))[0].startswith(public_url)

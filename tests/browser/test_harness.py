"""The tests in a browser see the faults that they are meant to see."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

from tests.browser.axe import axe, findings
from tests.browser.chromium import Faults
from tests.browser.visits import NewPage

_START = "<!doctype html><html lang='en'><link rel='icon' href='data:,'><title>Cakes</title>"
_PAGES = {
    "/good": "<main><h1>Cakes</h1><p>Seen</main><script>document.querySelector('p').textContent = 'run'</script>",
    "/throws": "<script>throw new Error('burnt')</script>",
    "/shouts": "<script>console.error('burnt')</script>",
    "/inline": "<p style='color: red'>Red</p>",
    "/elsewhere": "<img src='http://elsewhere.example/cake.png' alt=''>",
    "/missing": "<img src='/none.png' alt=''>",
    "/broken": "<img src='/hangs-up' alt=''>",
    "/unnamed": "<main><h1>Cakes</h1><input></main>",
}
_POLICIES = {"/inline": "default-src 'self'"}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/hangs-up":
            return
        self.send_response(200 if self.path in _PAGES else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", _POLICIES.get(self.path, ""))
        self.end_headers()
        self.wfile.write((_START + _PAGES.get(self.path, "Nothing")).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server of faulty pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_goes_wrong_in_a_page_is_seen(url: str, page: Page, faults: Faults):
    for path in ("/throws", "/shouts", "/inline", "/elsewhere", "/missing", "/broken", "/nothing"):
        page.goto(url + path)
    faults.take("error of a script: burnt")
    faults.take("console: burnt")
    faults.take("violates the following Content Security Policy directive")
    faults.take("request to another host: http://elsewhere.example/cake.png")
    faults.take("elsewhere.example")
    faults.take("/none.png")
    faults.take(f"failed request: {url}/hangs-up: net::ERR_EMPTY_RESPONSE")
    faults.take("/hangs-up")
    faults.take(f"status of 404 (Not Found) ({url}/nothing)")
    with pytest.raises(AssertionError, match="nothing of 'burnt'"):
        faults.take("burnt")


def test_a_good_page_has_no_faults(url: str, page: Page):
    page.goto(f"{url}/good", wait_until="networkidle")
    axe(page)
    assert page.text_content("p") == "run"


def test_axe_finds_an_input_without_a_name(url: str, page: Page):
    page.goto(f"{url}/unnamed")
    [found] = findings(page)
    assert "critical: label: " in found
    assert "<input>" in found


def test_modes_are_what_they_are_called(url: str, new_page: NewPage):
    is_dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    for mode, dark in (("light", False), ("dark", True)):
        page = new_page(mode)
        page.goto(f"{url}/good")
        assert page.evaluate(is_dark) == dark
    page = new_page("phone")
    page.goto(f"{url}/good")
    assert page.evaluate("innerWidth") == 390
    page = new_page("without script")
    page.goto(f"{url}/good")
    assert page.text_content("p") == "Seen"

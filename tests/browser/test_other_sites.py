"""What another site can do with the browser of somebody who signed in: nothing."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Page, expect

from tests.browser.chromium import Faults
from tests.browser.visits import sign_in
from tests.server import MASTER_KEY, Server

_EVIL = '<iframe src="{0}/"></iframe><form method="post" action="{0}/-/sign-out"><button>Win</button></form>'


def test_another_site_can_neither_frame_pages_nor_send_their_forms(page: Page, server: Server, faults: Faults):
    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(_EVIL.format(server.url).encode())

        def log_message(self, *_: object) -> None:
            pass

    sign_in(page, server, MASTER_KEY)
    with ThreadingHTTPServer(("127.0.0.1", 0), Evil) as site:  # the same host, so that the cookie goes along
        threading.Thread(target=site.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{site.server_port}/")
        assert page.frame_locator("iframe").get_by_role("link", name="Bakehouse").count() == 0
        page.get_by_role("button", name="Win").click()
        expect(page.get_by_role("alert")).to_contain_text("This form is not of a page that you have open")
        site.shutdown()
    page.goto(server.url)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert MASTER_KEY not in server.log.read_text()
    assert any("frame-ancestors 'none'" in fault for fault in faults)
    faults.clear()

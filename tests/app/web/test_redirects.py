"""The sign-in leads to a page of this server, whatever `next` says."""

import re
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import pytest

from tests.app.web.visitor import Visitor
from tests.client import Client

_SERVER = "http://bakehouse.example"
_EVIL = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "/\r\nSet-Cookie: burnt=1",
    "\t//evil.example",
    " //evil.example",
    "\x00//evil.example",
    "/\x00/evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "evil.example",
    "@evil.example",
    "/／evil.example",
    "／／evil.example",
    "/ /evil.example",
    "//[::1]/",
    "",
]


@pytest.mark.parametrize("address", _EVIL)
def test_no_address_leads_to_another_server(stranger: Visitor, alice: Client, address: str):
    there = signed_in(stranger, alice, quote(address, safe=""))
    assert there == urlsplit(f"{_SERVER}/")
    encoded = signed_in(stranger, alice, quote(quote(address), safe=""))
    assert (encoded.scheme, encoded.netloc) == (there.scheme, there.netloc)


def signed_in(stranger: Visitor, alice: Client, there: str) -> SplitResult:
    """Sign in with an address to go on to, and return where a browser would go."""
    answer = stranger.post(f"/-/sign-in?next={there}", token=alice.token)
    assert answer.status_code == 303
    assert "burnt" not in answer.headers["Set-Cookie"]
    location = answer.headers["Location"]
    assert re.fullmatch(r"/(?![/\\])[!-~]*", location)  # what a browser reads as a path, and a header cannot be cut at
    return urlsplit(urljoin(_SERVER, location))


@pytest.mark.parametrize("address", ["/alice/demo/targets/a?ref=v1&x=%2F%2F", "/-/search?q=bread", "/%2F/evil"])
def test_an_address_of_this_server_is_kept(stranger: Visitor, alice: Client, address: str):
    answer = stranger.post(f"/-/sign-in?next={quote(address, safe='')}", token=alice.token)
    assert (answer.status_code, answer.location) == (303, address)


def test_a_page_with_two_slashes_leads_to_the_sign_in_and_home(stranger: Visitor):
    for address in ("//evil.example/x", "//evil.example/x/targets/y"):
        answer = stranger.client.get("/", headers={"Accept": "text/html"}, environ_overrides={"PATH_INFO": address})
        location = urlsplit(urljoin(_SERVER, answer.headers.get("Location", "/")))
        assert (location.netloc, "=//" in location.query) == ("bakehouse.example", False)


def test_forms_do_not_say_where_else_to_go(stranger: Visitor, alice: Client):
    answer = stranger.post("/-/sign-in", token=alice.token, next="//evil.example")
    assert (answer.status_code, answer.location) == (303, "/")

"""Addresses of pages: what people type, and which first parts belong to whom."""

import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from flask import Flask

from app.cli import main
from app.domain.names import RESERVED
from app.registry.messages import Origin
from tests.app.web.visitor import Visitor
from tests.client import Client, assert_error, assert_mistakes


def test_the_first_parts_of_other_addresses_are_reserved(app: Flask):
    firsts = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert {first for first in firsts if first and first != "-" and not first.startswith("<")} <= set(RESERVED)


@pytest.mark.parametrize("user_id", RESERVED)
def test_no_new_user_gets_a_reserved_id(user_id: str, master: Client):
    answer = master.post("/v1/admin/users", {"user_id": user_id})
    assert_mistakes(answer, (["body", "user_id"], "string_pattern_mismatch"))
    assert "is reserved, as are" in answer.json["detail"][0]["msg"]
    ran = CliRunner().invoke(main, ["users", "create", user_id])
    assert ran.exit_code == 2
    assert "is reserved, as are" in ran.stderr
    assert master.get("/v1/admin/users").json["users"] == []


def test_an_owner_with_a_reserved_id_goes_on_in_the_api_and_has_no_page(
    app: Flask, master: Client, operator: Visitor, sign_in: Callable[[str], Visitor]
):
    master.post("/v1/admin/users", {"user_id": "bob"})
    assert master.post("/v1/repo", {"repo_name": "demo"}, X_User_Id="docs").status_code == 201
    assert master.put("/v1/repo/demo/grants/bob", {"access": "read"}, X_User_Id="docs").status_code == 200
    assert operator.get("/docs/demo").status_code == 404
    bob = sign_in(master.post("/v1/admin/users/bob/tokens", {"name": "pages"}).json["api_key"])
    secret = app.extensions["bakehouse"].accounts.create(Origin("admin"), "docs", None, None)  # as older versions did
    docs = sign_in(secret)
    for visitor, said in ((operator, "has no pages"), (bob, "docs / demo"), (docs, "have no pages")):
        page = visitor.get("/").text.partition("<main")[2].partition("</main>")[0]
        assert said in " ".join(page.split())
        assert "/docs" not in re.findall('(?:href|action)="([^"?]*)', page)
        assert "/docs/demo" not in re.findall('(?:href|action)="([^"?]*)', page)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/alice/", "/alice"),
        ("/alice/demo/", "/alice/demo"),
        ("/alice//demo", "/alice/demo"),
        ("//alice/demo//?ref=main&q=a", "/alice/demo?ref=main&q=a"),
        ("/alice/demo/targets/a/", "/alice/demo/targets/a"),
        ("/-/sign-in/", "/-/sign-in"),
        ("//example.org/", "/example.org"),  # a page of this server
        ("/alice/by%20hand%23/", "/alice/by%20hand%23"),
        ("/v1/repo/", None),
        ("/docs/x/", None),
        ("/alice/demo/no/such/page/", None),
    ],
)
def test_slashes_that_are_too_many_lead_to_the_page(visitor: Visitor, typed: str, meant: str | None):
    path, _, query = typed.partition("?")
    sent = {"environ_overrides": {"PATH_INFO": unquote(path)}, "query_string": query}  # `//` is no host
    for method in ("GET", "HEAD"):
        answer = visitor.client.open("/", method=method, **sent)
        if meant is None:
            assert answer.status_code == 404
        else:
            assert (answer.status_code, answer.location) == (301, meant)
    assert visitor.client.post("/", **sent).status_code in (404, 405)


def test_who_asks_the_api_at_an_address_of_pages_is_told_so_as_the_api_tells_it(alice: Client, visitor: Visitor):
    for path in ("/alice", "/repo/demo", "/alice/demo/targets/a"):
        assert_error(alice.get(path), 404, "RESOURCE_NOT_FOUND", f"{path}. All operations are listed at /docs.")
    assert_error(alice.post("/alice", {"repo_name": "x"}), 404, "RESOURCE_NOT_FOUND")
    assert visitor.get("/alice", Authorization="Bearer x").status_code == 200  # the cookie counts
    assert visitor.get("/alice", Authorization="Basic YTpi").status_code == 200


def test_head_is_answered_as_get_is_without_the_content(visitor: Visitor, alice: Client):
    alice.put("/v1/repo/demo/targets/a", {"template": "default", "overrides": {}})
    for path in ("/", "/alice", "/alice/demo", "/alice/demo/targets.csv", "/alice/demo/targets/a", "/alice/none"):
        whole, head = visitor.client.get(path), visitor.client.head(path)
        assert (head.status_code, head.data) == (whole.status_code, b"")
        assert head.mimetype == whole.mimetype
        assert head.headers["Content-Security-Policy"] == whole.headers["Content-Security-Policy"]

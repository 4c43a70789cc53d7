"""`X-Change-Reason`: why somebody made a change, told by each answer about the commit or tag."""

from urllib.parse import quote

import pytest
from flask import Flask

from app.wire.contract import contract_of
from tests.app.api.helpers import TARGETS, log, put
from tests.app.api.write_routes import everything, send, writes
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import made
from tests.timeline import LOG, commits, demo_repository, pages

WHY = "Der Höhepunkt: 😀 — 50% more"
SENT = "Der%20H%C3%B6hepunkt: \xf0\x9f\x98\x80 %E2%80%94 50% more"  # WSGI has the bytes of UTF-8 as characters


@pytest.mark.parametrize(
    ("sent", "mention"),
    [
        ("a%0Ab", "U+000A"),
        ("a\tb", "U+0009"),
        ("a%00", "U+0000"),
        ("%1B[31m", "U+001B"),
        ("a%E2%80%A8b", "U+2028"),
        ("%E2%80%AEtxt", "U+202E"),
        ("\xe4", "UTF-8"),
        ("%E4", "%25"),
        ("UTF-8''%ED%A0%80", "UTF-8"),
        ("x" * 1001, "1000"),
    ],
)
def test_a_reason_that_cannot_be_used_stops_every_write(
    app: Flask, master: Client, alice: Client, sent: str, mention: str
):
    before = everything(app)
    for rule, method in writes(app):
        client = master if "/admin/" in rule.rule else alice
        answer = send(client, rule, method, X_Change_Reason=sent)
        assert_error(answer, 400, "INVALID_INPUT", "X-Change-Reason", mention)
    assert everything(app) == before
    assert alice.get(LOG, X_Change_Reason=sent).status_code == 200


def test_a_write_tells_its_reason_first_in_the_body(app: Flask, alice: Client):
    alice.put(f"{TARGETS}/a", made(temperature=0.5), X_Change_Reason=SENT)
    assert log(app, "-1", "--format=%b").startswith(f"{WHY}\n\n")
    assert alice.get(f"{LOG}?limit=1").json["commits"][0]["reason"] == WHY
    alice.put(f"{TARGETS}/a", made(temperature=0.6), X_Change_Reason="UTF-8'de'" + "%F0%9F%98%80" * 1000)
    assert alice.get(f"{TARGETS}/a/history").json["commits"][0]["reason"] == "😀" * 1000


@pytest.mark.parametrize("sent", ["", "  ", "%20%20", "UTF-8''", "%C2%A0"])
def test_white_space_is_no_reason(app: Flask, alice: Client, sent: str):
    alice.put(f"{TARGETS}/a", made(temperature=0.5), X_Change_Reason=sent)
    assert "Reason" not in log(app, "-1", "--format=%B")
    assert alice.get(f"{LOG}?limit=1").json["commits"][0]["reason"] is None


def test_a_tag_tells_its_reason_beside_its_message(alice: Client):
    tag = alice.post("/v1/repo/demo/tags", {"name": "v1", "message": "One"}, X_Change_Reason=SENT)
    assert (tag.json["reason"], tag.json["message"]) == (WHY, "One")
    assert alice.get("/v1/repo/demo/tags/v1").json == tag.json
    again = alice.post("/v1/repo/demo/tags", {"name": "v1", "message": "One"}, X_Change_Reason="Another")
    assert (again.status_code, again.json) == (200, tag.json)


def test_the_document_has_the_header_on_each_write(app: Flask):
    paths = app.test_client().get("/openapi.json").json["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            names = [parameter.get("name") for parameter in operation["parameters"]]
            assert ("X-Change-Reason" in names) == (method != "get"), (method, path)
    assert sum(map(len, paths.values())) == sum(
        len(rule.methods - {"HEAD", "OPTIONS"})
        for rule in app.url_map.iter_rules()
        if contract_of(app.view_functions[rule.endpoint])
    )


def test_the_log_finds_reasons_in_any_case_and_nothing_else(app: Flask, alice: Client):
    """A field, a prompt, and a name have the text, too."""
    put(alice, "budget", extra_kwargs={"budget": 1})
    first = alice.put(f"{TARGETS}/a", made(temperature=0.5), X_Change_Reason="H%C3%B6hepunkt: Budget").headers[
        "Git-Commit"
    ]
    alice.put(f"{TARGETS}/a", made(temperature=0.6, extra_kwargs={"budget": 2}), X_Change_Reason="Another one")
    last = alice.delete(f"{TARGETS}/budget", X_Change_Reason="H%C3%96HEPUNKT budget").headers["Git-Commit"]
    for _ in range(2):
        for text in ("budget", "BUDGET", "höhepunkt", "Ho\u0308hepunkt"):
            assert commits(alice, f"reason={quote(text)}") == [last, first]
        assert commits(alice, "reason=budget&path=targets/a.yml&author=alice") == [first]
        assert commits(alice, f"reason=budget&before={last}") == [first]
        assert pages(alice, "reason=budget&limit=1") == [[last], [first]]
        assert commits(alice, "reason=b.dget") == commits(alice, "reason=Length") == []
        demo_repository(app).checkpoint()


def test_a_text_that_no_reason_may_have_is_refused(alice: Client):
    for text in ("a%0Ab", "a" * 201):
        assert_mistakes(alice.get(f"{LOG}?reason={text}"), (["query", "reason"], "string_pattern_mismatch"))

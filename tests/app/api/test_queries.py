"""Parameters of the query: one that is unknown, or given twice, is a mistake, and never passed over."""

from base64 import b64encode

import pytest
from flask import Flask

from app.wire.contract import contract_of
from tests.app.api.helpers import MESSAGES, NAMES, PROMPTS, TARGETS, demo
from tests.client import Client, assert_mistakes
from tests.payloads import target


def messages(client: Client, path: str) -> list[str]:
    return [mistake["msg"] for mistake in client.get(path).json["detail"]]


def test_an_unknown_parameter_is_refused_by_every_operation(app: Flask, master: Client, alice: Client):
    alice.post(TARGETS, target("a"))
    alice.post(PROMPTS, {"prompt_name": "p", "messages": MESSAGES})
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    before = demo(app, "for-each-ref")
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/v1/"):
            continue
        contract = contract_of(app.view_functions[rule.endpoint])
        path = rule.build({name: NAMES[name] for name in rule.arguments})[1]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            asked += 1
            client = master if "/admin/" in path else alice
            fields = contract.query.fields if contract.query else {}
            needed = [f"&{field.data_key or name}=HEAD" for name, field in fields.items() if field.required]
            answer = client.request(method, f"{path}?reff=x&odd={''.join(needed)}", contract.example)
            assert_mistakes(answer, (["query", "reff"], "extra_forbidden"), (["query", "odd"], "extra_forbidden"))
    assert asked > 40
    assert demo(app, "for-each-ref") == before


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (f"{TARGETS}?reff=v1", "did you mean 'ref'?"),
        (f"{TARGETS}?REF=v1", "did you mean 'ref'?"),
        (f"{TARGETS}?userid=alice", "did you mean 'user_id'?"),
        (f"{TARGETS}/a/diff?against=b&ref=v1", "here are 'against', 'from', 'full', 'to', 'user_id'"),
        ("/v1/repo/demo/tags?ref=v1", "here are 'user_id'"),
        ("/v1/repo/demo/tags/v1?ref=v1", "here are 'user_id'"),
        ("/v1/health?pretty=1", "here are none"),
    ],
)
def test_a_mistake_says_which_parameters_there_are(alice: Client, path: str, hint: str):
    assert messages(alice, path) == [f"There is no such parameter{'; ' + hint}"]


def test_a_parameter_that_is_given_twice_is_refused(alice: Client):
    twice = (["query", "ref"], "value_error")
    assert_mistakes(alice.get(f"{TARGETS}?ref=main&ref=HEAD"), twice)
    assert_mistakes(alice.get(f"{TARGETS}?ref=&ref=main"), twice)
    assert_mistakes(alice.get(f"{TARGETS}?user_id=alice&user_id=alice"), (["query", "user_id"], "value_error"))


def test_all_mistakes_of_a_query_are_told_together(alice: Client):
    answer = alice.get(f"{TARGETS}/a/history?limit=0&befor=1234")
    assert_mistakes(answer, (["query", "limit"], "greater_than_equal"), (["query", "befor"], "extra_forbidden"))


def test_every_operation_takes_the_owner(alice: Client):
    for path in ("/v1/repo", "/v1/repo/demo", TARGETS, "/v1/repo/demo/tags", "/v1/repo/demo/grants"):
        assert alice.get(f"{path}?user_id=alice").status_code == 200


def test_git_is_asked_for_its_service_and_nothing_else(alice: Client):
    basic = {"Authorization": f"Basic {b64encode(f'alice:{alice.token}'.encode()).decode()}"}
    address = "/git/alice/demo.git/info/refs?service=git-upload-pack"
    assert alice.get(address, **basic).status_code == 200
    assert_mistakes(alice.get(f"{address}&ref=v1", **basic), (["query", "ref"], "extra_forbidden"))
    answer = alice.request("POST", "/git/alice/demo.git/git-upload-pack?ref=v1", b"", **basic)
    assert_mistakes(answer, (["query", "ref"], "extra_forbidden"))

"""`GET …/targets` with `Accept: text/csv`."""

import csv
from io import StringIO
from urllib.parse import urlencode

import pytest

from app.domain.resolution import CONFIG_FIELDS
from tests.app.api.helpers import TARGETS, Limited, put
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import made


def table(client: Client, **query: str) -> list[list[str]]:
    """Return the rows of a CSV file, the header row first."""
    answer = client.get(f"{TARGETS}?{urlencode(query)}", Accept="text/csv")
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8"), answer.text
    return list(csv.reader(StringIO(answer.text, newline="")))


def test_a_column_for_each_field_and_a_row_for_each_target(alice: Client):
    put(alice, "a", temperature=0.5, generators=[{"type": "oneshot_qs", "numq": 3, "rollout_with_conditioned": True}])
    put(alice, "b", "a", model_name='say "é", now\nand then', extra_kwargs={"a.b": [None, "x"]})
    fields = (
        "temperature,model_name,generators.0.numq,generators.0.rollout_with_conditioned,/extra_kwargs/a.b,max_tokens"
    )
    answer = alice.get(f"{TARGETS}?include=template&fields={fields}", Accept="text/csv")
    assert answer.text == (
        f"target_name,template,{fields}\r\n"
        "a,default,0.5,Qwen/Qwen3-32B,3,true,,\r\n"
        'b,a,0.5,"say ""é"", now\nand then",3,true,"[null,""x""]",\r\n'
    )
    assert answer.headers["Vary"] == "Accept"
    assert "Link" not in answer.headers


def test_the_config_is_a_column_for_each_of_its_fields(alice: Client):
    put(alice, "a", max_tokens=5)
    header, row = table(alice, include="config,version", fields="temperature,extra_kwargs.x")
    assert header == ["target_name", "version", *CONFIG_FIELDS, "extra_kwargs.x"]
    assert f'"{row[1]}"' == alice.get(f"{TARGETS}/a").headers["ETag"]
    config = alice.get(f"{TARGETS}/a").json["config"]
    assert row[2:] == ["", "", "[]", config["model_name"], "1", "10", "5", "1.0", "{}", ""]


def test_the_names_alone_are_a_file_too(alice: Client):
    put(alice, "a")
    put(alice, "b")
    assert table(alice) == [["target_name"], ["a"], ["b"]]
    assert table(alice, q="B", include="template") == [["target_name", "template"], ["b", "default"]]
    assert table(alice, q="x", include="template,changed")[1:] == []


def test_changed_tells_of_the_commit_of_each_target(alice: Client):
    commit = put(alice, "a")
    header, row = table(alice, include="changed")
    told = dict(zip(header, row, strict=True))
    [last] = alice.get(f"{TARGETS}/a/history").json["commits"]
    assert told["changed_commit"] == commit
    assert (told["changed_author"], told["changed_user"]) == ("Alice", "alice")
    assert (told["changed_time"], told["changed_subject"]) == (last["time"], last["subject"])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\n=", "\r\n@", "＝", "＋", "－", "＠"])
def test_a_text_that_looks_like_a_formula_is_quoted_and_a_number_is_not(alice: Client, start: str):
    put(alice, "a", model_name=f"{start}1+2", extra_kwargs={"n": -5, "t": "a=b"})
    assert table(alice, fields="model_name,extra_kwargs.n,extra_kwargs.t")[1] == ["a", f"'{start}1+2", "-5", "a=b"]


def test_long_values_are_whole(alice: Client):
    put(alice, "a", extra_kwargs={"text": "x" * 9000})
    assert table(alice, fields="extra_kwargs.text")[1] == ["a", "x" * 9000]


def test_link_leads_from_page_to_page(alice: Client):
    for name in "abcde":
        put(alice, name, temperature=0.5)
    path = f"{TARGETS}?fields=temperature&where=temperature%3C1&limit=2"
    found = []
    while path:
        answer = alice.get(path, Accept="text/csv")
        header, *rows = answer.text.splitlines()
        assert header == "target_name,temperature"
        found += rows
        link = answer.headers.get("Link")
        assert link is None or (link.startswith("<") and link.endswith('>; rel="next"'))
        path = link and link[1:].partition(">")[0]
    assert found == [f"{name},0.5" for name in "abcde"]


def test_a_page_ends_at_its_bytes(limited: Limited):
    client = limited(max_page=2000)
    for number in range(10):
        client.put(f"{TARGETS}/t{number}", made(extra_kwargs={"text": "x" * 500}))
    answer = client.get(f"{TARGETS}?fields=extra_kwargs.text", Accept="text/csv")
    assert "Link" in answer.headers
    assert 1 < len(answer.text.splitlines()) < 6


def test_errors_are_json(alice: Client):
    answer = alice.get(f"{TARGETS}?fields=x", Accept="text/csv")
    assert_mistakes(answer, (["query", "fields"], "extra_forbidden"))
    answer = alice.get("/v1/repo/none/targets", Accept="text/csv")
    assert_error(answer, 404, "RESOURCE_NOT_FOUND", "'none'")

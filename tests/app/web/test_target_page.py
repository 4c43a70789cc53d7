"""The page of a target: its values and their origins, and what the target has to do with others."""

import html
import re

import pytest

from tests.app.web.visitor import Visitor
from tests.client import Client

PAGE = "/alice/demo/targets/nightly"


def put(alice: Client, name: str, template: str, reason: str = "", **overrides: object) -> None:
    headers = {"X_Change_Reason": reason} if reason else {}
    body = {"template": template, "overrides": overrides}
    assert alice.put(f"/v1/repo/demo/targets/{name}", body, **headers).status_code == 200


@pytest.fixture(autouse=True)
def family(alice: Client) -> None:
    put(alice, "base", "default", "A calmer teacher", temperature=0.7, teacher_prompt="teacher_v1")
    put(alice, "nightly", "base", "Answers were too long", temperature=0.3, max_tokens=500, extra_kwargs={"a/b": 1})


def row(text: str, field: str) -> str:
    """Return the row of a field, as the text that a person reads, unfolded."""
    rows = re.findall(r"<tr class.*?</tr>", text, re.DOTALL)
    plain = (html.unescape(re.sub(r"<[^>]+>", " ", each)) for each in rows)
    return next(" ".join(each.split()) for each in plain if each.split()[0] == field)


def test_each_value_wears_its_origin_and_unfolds_to_who_why_and_what_it_beat(visitor: Visitor):
    text = visitor.get(PAGE).text
    found = row(text, "temperature")
    assert found.startswith("temperature 0.3 own override Alice, 20")
    assert "“" not in found
    assert "Why Answers were too long What Create nightly from base: 3 fields Commit" in found
    assert found.endswith("Beat 0.7 from base and 1.0 default")
    assert row(text, "teacher_prompt").startswith("teacher_prompt teacher_v1 from base Alice")
    assert row(text, "max_concurrency").startswith("max_concurrency 10 default")
    assert row(text, "/extra_kwargs/a~1b" if "/extra_kwargs/a~1b" in text else "extra_kwargs.a/b")


def test_the_page_says_the_same_as_the_api_explains(visitor: Visitor, alice: Client):
    text = visitor.get(PAGE).text
    explained = alice.get("/v1/repo/demo/targets/nightly/explain").json
    words = {"overrides": "own override", "template": "from base", "default": "default"}
    for field in explained["fields"]:
        found = row(text, field["field"][1:].replace("/", ".").replace("~1", "/"))
        assert words[field["layer"]] in found
        assert field["commit"][:7] in found


def test_a_value_that_null_removed_is_told(visitor: Visitor, alice: Client):
    put(alice, "nightly", "base", teacher_prompt=None)
    found = row(visitor.get(PAGE).text, "teacher_prompt")
    assert found.startswith("teacher_prompt removed own override")
    assert found.endswith("Beat teacher_v1 from base")


def test_drift_and_what_a_rebase_would_do(visitor: Visitor, alice: Client):
    assert "up to date" in visitor.get(PAGE).text
    put(alice, "base", "base", teacher_prompt="teacher_v2")
    text = visitor.get(PAGE).text
    assert "drifted" in text
    table = text[text.index("What a rebase would do") :]
    assert "teacher_v1" in table
    assert "teacher_v2" in table
    alice.delete("/v1/repo/demo/targets/base")
    assert "There is no base any more." in visitor.get(PAGE).text


def test_who_uses_it_and_where_it_is_live(visitor: Visitor, alice: Client):
    alice.put("/v1/repo/demo/labels/production", {"ref": "main"})
    put(alice, "base", "base", temperature=0.5)
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    text = visitor.get("/alice/demo/targets/base").text
    assert "1 target was made from it" in text
    assert ">nightly</a>" in text
    assert "production: another version" in text
    assert ">v1</a>" in text


def test_an_older_state_is_shown_by_ref_and_says_so(visitor: Visitor, alice: Client):
    alice.put("/v1/repo/demo/labels/production", {"ref": "main"})
    put(alice, "nightly", "base", temperature=1.5)
    assert row(visitor.get(PAGE).text, "temperature").startswith("temperature 1.5")
    old = visitor.get(f"{PAGE}?ref=production").text
    assert row(old, "temperature").startswith("temperature 0.3")
    assert "You see the repo as it was at <strong>production</strong>" in old
    missing = visitor.get(f"{PAGE}?ref=nothing")
    assert missing.status_code == 404
    assert "no tag, label or commit of its history is called so" in missing.text


def test_the_file_is_shown_as_it_lies_in_git(visitor: Visitor, alice: Client):
    raw = visitor.get(f"{PAGE}/yaml")
    assert raw.mimetype == "text/plain"
    assert raw.text.startswith("template: base\n")
    assert alice.get("/v1/repo/demo/targets/nightly").json["config"]["max_tokens"] == 500
    assert "max_tokens: 500" in raw.text


def test_the_commands_to_copy_name_the_owner_for_a_guest(visitor: Visitor, alice: Client, master: Client, sign_in):
    key = master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"]
    alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    assert "X-User-Id" not in html.unescape(visitor.get(PAGE).text)
    text = html.unescape(re.sub(r"<[^>]+>", "", sign_in(key).get(f"{PAGE}?ref=main").text))
    assert "-H 'X-User-Id: alice'" in text
    assert "targets/nightly?ref=main" in text
    assert "default_query={'user_id': 'alice'}" in text
    assert ":targets/nightly.yml" in text


def test_a_target_with_more_fields_than_a_page_goes_on(visitor: Visitor, alice: Client):
    many = {f"field_{number:04}": "x" * 150 for number in range(1600)}
    put(alice, "nightly", "base", extra_kwargs=many)
    shown, address = set(), PAGE
    while address:
        text = visitor.get(address).text
        shown |= set(re.findall(r"<code>extra_kwargs\.(field_\d+)</code>", text))
        more = re.search(r'href="([^"]+)">More fields', text)
        address = html.unescape(more[1]) if more else ""
    assert len(shown) == len(many)


def test_a_page_has_so_many_fields_at_most_that_it_stays_small(visitor: Visitor, alice: Client):
    put(alice, "nightly", "base", extra_kwargs={f"field_{number:03}": number for number in range(450)})
    shown, sizes, address = [], [], PAGE
    while address:
        text = visitor.get(address).text
        assert len(text) < 400_000
        sizes.append(text.count('<th role="rowheader" scope="row">'))
        shown += re.findall(r"<code>extra_kwargs\.(field_\d+)</code>", text)
        more = re.search(r'href="([^"]+)">More fields', text)
        address = html.unescape(more[1]) if more else ""
    assert sizes[:-1] == [200, 200]
    assert sorted(shown) == [f"field_{number:03}" for number in range(450)]


def test_the_page_of_a_target_with_many_generators_is_small(visitor: Visitor, alice: Client):
    put(alice, "nightly", "base", generators=[{"type": "persona", "numq": number} for number in range(1, 1001)])
    text = visitor.get(PAGE).text
    assert "generators" in text
    assert len(text) < 400_000


def test_a_long_value_is_cut_and_says_so(visitor: Visitor, alice: Client):
    put(alice, "nightly", "base", extra_kwargs={"long": "b" * 100_000, "list": ["c" * 10_000] * 5, "short": "s" * 4000})
    text = visitor.get(PAGE).text
    assert "b" * 1000 in text
    assert "b" * 1001 not in text
    assert "cut here: the whole has 100002 bytes" in text
    assert "s" * 4000 in text
    assert len(text) < 60_000


def test_the_default_has_a_page(visitor: Visitor, alice: Client):
    alice.put("/v1/repo/demo/defaults/target", {"config": {"temperature": 0.25}}, X_Change_Reason="Calm for all")
    text = visitor.get("/alice/demo/default").text
    assert "0.25" in text
    assert "Calm for all" in text
    assert ">base</a>" in text


def test_a_long_drift_is_cut_and_leads_to_the_rebase(visitor: Visitor, alice: Client):
    put(alice, "base", "base", extra_kwargs={f"field_{number:04}": number for number in range(5000)})
    text = visitor.get(PAGE).text
    drift = text[text.index("What a rebase would do") : text.index("Who uses it")]
    assert drift.count('<th scope="row">') == 100
    assert "and 4900 more fields" in drift
    assert f'href="{PAGE}/rebase"' in drift

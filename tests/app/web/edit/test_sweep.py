"""Sweeps: a table of the targets to be, and all of them in one commit."""

import html
from typing import Any

from werkzeug.test import TestResponse

from app.web.edit import sweep_form
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made

SWEEP = "/alice/demo/sweep"


def sweep(
    visitor: Visitor, do: str = "save", how: str = "product", pattern: str = "s_{temperature}_{n}", **fields: str
) -> TestResponse:
    """Send the form of a sweep over some fields."""
    body = {"template": "a", "field": [*fields], "values": [*fields.values()], "how": how, "pattern": pattern, "do": do}
    return visitor.post(SWEEP, **body, reason="To compare.")


def names(target: Client) -> list[str]:
    return target.get("/v1/repo/demo/targets").json["targets"]


def config(target: Client, name: str) -> dict[str, Any]:
    return target.get(f"/v1/repo/demo/targets/{name}").json["config"]


def test_a_sweep_makes_the_product_of_its_values_in_one_commit(target: Client, visitor: Visitor):
    fields = {"temperature": "0.2\r\n0.8\r\n", "extra_kwargs.top_p": "0.5\r\n0.9"}
    shown = sweep(visitor, "preview", **fields)
    assert shown.status_code == 200
    assert "4 new" in shown.text
    assert "Make 4 targets" in shown.text
    assert names(target) == ["a"]
    before = len(target.get("/v1/repo/demo/log").json["commits"])
    assert sweep(visitor, **fields).status_code == 303
    assert names(target) == ["a", "s_0.2_1", "s_0.2_2", "s_0.8_3", "s_0.8_4"]
    found = config(target, "s_0.8_3")
    assert (found["temperature"], found["max_tokens"], found["extra_kwargs"]) == (0.8, 100, {"top_p": 0.5})
    log = target.get("/v1/repo/demo/log").json["commits"]
    assert (len(log), log[0]["reason"]) == (before + 1, "To compare.")


def test_values_go_together_line_by_line(target: Client, visitor: Visitor):
    answer = sweep(visitor, how="zip", temperature="0.2\n0.8", max_tokens="10\n20")
    assert answer.status_code == 303
    assert names(target) == ["a", "s_0.2_1", "s_0.8_2"]
    assert config(target, "s_0.8_2")["max_tokens"] == 20


def test_values_are_read_by_the_kind_of_their_field(target: Client, visitor: Visitor):
    questions = '[{"type": "hardcoded", "questions": ["Why?"]}]\n[]'
    answer = sweep(visitor, pattern="x_{student_prompt}_{n}", student_prompt='""\npolite', generators=questions)
    assert answer.status_code == 303
    assert config(target, "x__1")["student_prompt"] == ""
    assert config(target, "x_polite_3")["generators"] == [{"type": "hardcoded", "questions": ["Why?"]}]


_MISTAKES: list[tuple[dict[str, str], dict[str, str], str]] = [
    ({"temperature": "0.2\n9"}, {}, "temperature: This must be 2.0 or less"),
    ({"temperature": "0.2\nwarm"}, {}, "temperature: This must be a number"),
    ({"warmth": "1"}, {"pattern": "x_{n}"}, "There is no field 'warmth'"),
    ({"generators.0.numq": "1"}, {"pattern": "x_{n}"}, "A list is replaced as a whole"),
    ({"extra_kwargs": "{"}, {"pattern": "x_{n}"}, "This is not JSON"),
    ({"temperature": ""}, {}, "Give at least one value"),
    ({"temperature": "1\n2"}, {"pattern": ""}, "Give the names a pattern"),
    ({"temperature": "1\n2"}, {"pattern": "s_{warmth}"}, "There is no field {warmth} in this sweep"),
    ({"temperature": "1\n2"}, {"pattern": "same"}, "Another target of the sweep has this name"),
    ({"temperature": "1\n2"}, {"pattern": "../{n}"}, "must start with a letter"),
    ({"temperature": "1\n2", "max_tokens": "1"}, {"how": "zip"}, "each field needs as many values: they have 2, 1"),
    ({"extra_kwargs": "{}", "extra_kwargs.a": "1"}, {"pattern": "x_{n}"}, "set the same field"),
    ({"temperature": "\n".join("1" * 40), "max_tokens": "\n".join("1" * 40)}, {}, "These are 1600 targets"),
]


def test_mistakes_are_told_and_nothing_is_made(target: Client, visitor: Visitor):
    for fields, options, sentence in _MISTAKES:
        for do, status in (("preview", 200), ("save", 422)):
            answer = sweep(visitor, do, **options, **fields)
            assert (sentence, answer.status_code) == (sentence, status)
            assert sentence in html.unescape(answer.text)
    assert names(target) == ["a"]


def test_a_template_that_is_not_there_is_told(target: Client, visitor: Visitor):
    answer = visitor.post(SWEEP, template="none", field="temperature", values="1", pattern="x", do="save")
    assert answer.status_code == 422
    assert "Template &#39;none&#39; not found" in answer.text
    assert names(target) == ["a"]


def test_a_target_that_is_there_is_marked(target: Client, visitor: Visitor):
    target.put("/v1/repo/demo/targets/s_0.2", made("a", temperature=0.2))
    target.put("/v1/repo/demo/targets/s_0.8", made("a", temperature=0.9))
    answer = sweep(visitor, pattern="s_{temperature}", temperature="0.2\n0.5")
    assert answer.status_code == 303, "what is there already just so is no collision"
    answer = sweep(visitor, pattern="s_{temperature}", temperature="0.2\n0.5\n0.8\n1.0")
    assert answer.status_code == 422
    assert "there already" in answer.text
    assert "A target of this name is there, with another configuration" in answer.text
    assert "1 that cannot be made" in answer.text
    assert names(target) == ["a", "s_0.2", "s_0.5", "s_0.8"]


def test_fields_are_added_and_removed_without_a_script(visitor: Visitor, target: Client):
    answer = sweep(visitor, "add", temperature="1")
    assert answer.text.count('name="field"') == 2
    answer = sweep(visitor, "remove.0", temperature="1", max_tokens="7")
    assert answer.text.count('name="field"') == 1
    assert 'value="max_tokens"' in answer.text
    assert names(target) == ["a"]


def test_the_bound_is_told(visitor: Visitor, target: Client):
    assert f"{sweep_form.MOST} at most" in visitor.get(f"{SWEEP}?template=a").text
    assert names(target) == ["a"]


def test_markup_shows_as_text(visitor: Visitor, target: Client):
    bad = "<script>alert(1)</script>"
    answer = sweep(visitor, "preview", pattern="x_{n}", model_name=bad)
    assert bad not in answer.text
    assert bad in html.unescape(answer.text)
    assert names(target) == ["a"]

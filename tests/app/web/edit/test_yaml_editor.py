"""The YAML editor of a target: the same saving, preview and conflicts, and mistakes with their lines."""

import html

import pytest

from app.domain import canonical_yaml
from tests.app.web import forms
from tests.app.web.edit.editor import EDIT, Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import asking, made

A = "/v1/repo/demo/targets/a"


@pytest.fixture
def yaml(target: Client, visitor: Visitor) -> Editor:
    """The YAML editor of target `a`, which has a question template."""
    target.put(A, made(temperature=0.7, generators=asking("Ask {x}.\r\n")))
    return Editor(visitor, query="?as=yaml")


def said(text: str) -> str:
    """Return what the page says at the YAML."""
    return html.unescape(text.split('data-said="yaml">')[1].split("</div>")[0])


def test_the_overrides_are_shown_as_canonical_yaml_and_saved(target: Client, yaml: Editor):
    text = yaml.fields["yaml"].replace("\r\n", "\n")
    document = canonical_yaml.load(text.encode())
    assert canonical_yaml.dump(document).decode() == text
    assert document["template"] == "default"
    assert document["overrides"]["temperature"] == 0.7
    answer = yaml.press(yaml=yaml.fields["yaml"].replace("0.7", "0.1"))
    assert answer.status_code == 303
    assert target.get(A).json["config"]["temperature"] == 0.1
    content = target.get("/v1/repo/demo/question-templates/ask.txt").json["content"]
    assert content == "Ask {x}.\r\n", "line ends were changed"


def test_saving_yaml_as_it_was_writes_nothing(target: Client, yaml: Editor):
    version = target.get(A).headers["ETag"]
    assert yaml.press().status_code == 303
    assert target.get(A).headers["ETag"] == version


_MISTAKES = [
    ("template: default\noverrides: {", "Line 2, column 12: This is not YAML"),
    ("template: default\noverrides:\n  temperature: 1\n  temperature: 2\n", "Line 4, column 3: The field"),
    ("template: &a default\noverrides:\n  model_name: *a\n", "Line 1, column 11: Write the value itself"),
    ("template: default\noverrides:\n  model_name: 2020-01-01\n", "Line 3, column 15: This means a time"),
    (
        "template: default\noverrides:\n  max_tokens: 5\n  temperature: 9\n",
        "Line 4: overrides.temperature: This must",
    ),
    ("template: default\noverrides:\n  warmth: 9\n", "Line 3: overrides.warmth: There is no such field"),
    ("template: nowhere\n", "Line 1: template: Template 'nowhere' not found"),
    ("overrides: {}\n", "Line 1: template: This field is required"),
    ("- a\n", "This must be a JSON object"),
    ("", "Line 1, column 1: There is nothing"),
    ("template: default\noverrides:\n  extra_kwargs: " + "[" * 200, "Line 3"),
    ("template: default\noverrides:\n  extra_kwargs: {a: " + "[" * 110 + "]" * 110 + "}", "levels deep"),
    (
        "template: default\noverrides:\n  generators:\n  - type: persona\n    numq: 0\n",
        "Line 5: overrides.generators",
    ),
]


def test_mistakes_have_their_line_and_keep_what_was_typed(target: Client, yaml: Editor):
    for text, sentence in _MISTAKES:
        answer = yaml.press(yaml=text)
        assert answer.status_code == 422
        assert sentence in said(answer.text)
        assert yaml.fields["yaml"].replace("\r\n", "\n") == text
    assert target.get(A).json["config"]["temperature"] == 0.7


def test_the_editors_hand_over_what_was_typed(yaml: Editor):
    yaml.press("as.form", yaml="template: default\noverrides:\n  temperature: 0.1\n  max_tokens: null\n")
    assert yaml.fields["editor"] == "form"
    assert (yaml.fields["value.temperature"], yaml.fields["how.max_tokens"]) == ("0.1", "none")
    yaml.type(max_tokens="9")
    yaml.press("as.yaml")
    expected = "template: default\noverrides:\n  max_tokens: 9\n  temperature: 0.1\n"
    assert yaml.fields["yaml"].replace("\r\n", "\n") == expected


def test_mistakes_must_be_corrected_before_the_other_editor(yaml: Editor):
    answer = yaml.press("as.form", yaml="template: default\noverrides: [\n")
    assert answer.status_code == 422
    assert "Correct the mistakes first" in answer.text
    assert yaml.fields["editor"] == "yaml"


def test_warnings_stand_at_the_yaml(yaml: Editor):
    answer = yaml.press("preview", yaml="template: default\noverrides:\n  student_prompt: nobody\n")
    assert answer.status_code == 200
    assert "student_prompt: there is no prompt 'nobody'" in said(answer.text)


def test_a_conflict_of_yaml_leads_back_into_yaml(target: Client, yaml: Editor):
    target.put(A, made(temperature=0.9, generators=asking("Ask {x}.\r\n")))
    answer = yaml.press(yaml="template: default\noverrides:\n  max_tokens: 5\n  temperature: 0.7\n")
    assert answer.status_code == 412
    fields = forms.read(answer.text, f"{EDIT}/merge")
    answer = yaml.visitor.post(f"{EDIT}/merge", **{**fields, "do": "look"})
    merged = forms.read(answer.text, EDIT)
    expected = "template: default\noverrides:\n  max_tokens: 5\n  temperature: 0.9\n"
    assert merged["yaml"].replace("\r\n", "\n") == expected


def test_a_new_target_is_made_by_yaml(target: Client, visitor: Visitor):
    editor = Editor(visitor, "/alice/demo/new", "?as=yaml&template=a")
    answer = editor.press(target_name="b", yaml="template: a\noverrides:\n  max_tokens: 5\n")
    assert answer.status_code == 303
    assert target.get("/v1/repo/demo/targets/b").json["config"]["max_tokens"] == 5

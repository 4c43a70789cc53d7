"""Two people edit one target: both versions side by side, a choice, and nothing lost."""

import html

import pytest

from tests.app.web import forms
from tests.app.web.edit.editor import EDIT, Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import asking, made

A = "/v1/repo/demo/targets/a"
MERGE = f"{EDIT}/merge"


def read_conflict(text: str) -> dict[str, str]:
    """Return the form of a page that shows a conflict."""
    assert "was changed meanwhile" in text
    return forms.read(text, MERGE)


def test_a_conflict_shows_all_three_versions_and_saves_nothing(target: Client, editor: Editor):
    target.put(A, made(temperature=0.9, max_tokens=100), x_change_reason="They know better.")
    editor.type(temperature="0.2")
    answer = editor.press(reason="I know better.")
    assert answer.status_code == 412
    text = html.unescape(answer.text)
    assert "They know better." in text
    row = text.split("<code>overrides.temperature</code>")[1].split("</tr>")[0]
    assert [value in row for value in ("0.7", "0.9", "0.2")] == [True, True, True]
    assert read_conflict(answer.text)["reason"] == "I know better."
    assert target.get(A).json["config"]["temperature"] == 0.9


def test_changes_of_different_fields_are_merged_without_a_choice(target: Client, editor: Editor):
    target.put(A, made(temperature=0.9, max_tokens=100, extra_kwargs={"seed": 1}))
    editor.type(max_tokens="5", extra_kwargs='{"top_p": 0.5}')
    fields = read_conflict(editor.press().text)
    answer = editor.visitor.post(MERGE, **{**fields, "do": "merge"})
    assert answer.status_code == 303
    config = target.get(A).json["config"]
    assert (config["temperature"], config["max_tokens"]) == (0.9, 5)


@pytest.mark.parametrize(("chosen", "expected"), [("theirs", 0.9), ("yours", 0.2)])
def test_a_field_that_both_changed_needs_a_choice(target: Client, editor: Editor, chosen: str, expected: float):
    target.put(A, made(temperature=0.9, max_tokens=7))
    editor.type(temperature="0.2")
    fields = read_conflict(editor.press(reason="Mine.").text)
    missed = editor.visitor.post(MERGE, **{**fields, "do": "merge"})
    assert missed.status_code == 422
    assert "choose one" in missed.text
    assert target.get(A).json["config"]["temperature"] == 0.9
    again = read_conflict(missed.text)
    answer = editor.visitor.post(MERGE, **{**again, "choice/overrides/temperature": chosen, "do": "merge"})
    assert answer.status_code == 303
    config = target.get(A).json["config"]
    assert (config["temperature"], config["max_tokens"]) == (expected, 7)


def test_both_changes_can_be_looked_at_in_the_editor_before_saving(target: Client, editor: Editor):
    target.put(A, made(temperature=0.9, max_tokens=100))
    editor.type(max_tokens="5")
    fields = read_conflict(editor.press().text)
    answer = editor.visitor.post(MERGE, **{**fields, "do": "look"})
    assert answer.status_code == 200
    assert target.get(A).json["config"]["max_tokens"] == 100
    editor.fields = forms.read(answer.text, EDIT)
    assert (editor.fields["value.temperature"], editor.fields["value.max_tokens"]) == ("0.9", "5")
    assert editor.press().status_code == 303
    assert target.get(A).json["config"]["max_tokens"] == 5


def test_a_third_writer_during_the_merge_is_another_conflict(target: Client, editor: Editor):
    target.put(A, made(temperature=0.9, max_tokens=100))
    editor.type(max_tokens="5")
    fields = read_conflict(editor.press().text)
    target.put(A, made(temperature=1.1, max_tokens=100))
    answer = editor.visitor.post(MERGE, **{**fields, "do": "merge"})
    assert answer.status_code == 412
    fields = read_conflict(answer.text)
    assert editor.visitor.post(MERGE, **{**fields, "do": "merge"}).status_code == 303
    config = target.get(A).json["config"]
    assert (config["temperature"], config["max_tokens"]) == (1.1, 5)


def test_who_wrote_the_same_meanwhile_is_no_conflict(target: Client, editor: Editor):
    target.put(A, made(temperature=0.2, max_tokens=100))
    editor.type(temperature="0.2")
    assert editor.press().status_code == 303


def test_a_target_that_was_deleted_meanwhile_keeps_what_was_typed_and_can_be_made_again(target: Client, editor: Editor):
    target.delete(A)
    editor.type(temperature="0.2")
    answer = editor.press()
    assert answer.status_code == 412
    assert "Somebody deleted target" in answer.text
    assert editor.fields["value.temperature"] == "0.2"
    assert editor.press().status_code == 303
    assert target.get(A).json["config"]["temperature"] == 0.2


def test_a_question_template_that_both_changed_is_shown_on_both_sides(target: Client, visitor: Visitor):
    target.put(A, made(generators=asking("First.")))
    editor = Editor(visitor)
    target.put(A, made(generators=asking("Theirs.")))
    answer = editor.press(**{"generators.0.template_content": "Mine."})
    assert answer.status_code == 412
    assert all(text in answer.text for text in ("First.", "Theirs.", "Mine."))
    fields = read_conflict(answer.text)
    editor.visitor.post(MERGE, **{**fields, "choice/overrides/generators": "yours", "do": "merge"})
    assert target.get("/v1/repo/demo/question-templates/ask.txt").json["content"] == "Mine."


def test_a_version_that_never_was_is_a_conflict_and_no_failure(editor: Editor):
    editor.type(temperature="0.2")
    for version in ("", "0" * 40, "nonsense", "<script>"):
        answer = editor.press(version=version)
        assert (version, answer.status_code) == (version, 412)
        assert "<script>" not in answer.text


def test_a_forged_merge_is_told_and_writes_nothing(target: Client, editor: Editor):
    target.put(A, made(temperature=0.9))
    editor.type(temperature="0.2")
    fields = read_conflict(editor.press().text)
    for yours in ("", "[]", "{", '{"template": 1}', '{"template": "default", "overrides": {"x": 1}}'):
        answer = editor.visitor.post(MERGE, **{**fields, "yours": yours, "do": "merge"})
        assert (yours, answer.status_code) == (yours, 422)
    assert editor.visitor.post(MERGE, **{**fields, "version": "0" * 40, "do": "merge"}).status_code == 404
    assert target.get(A).json["config"]["temperature"] == 0.9

"""Targets that are their own template, and those whose template changed or is gone."""

import html

from tests.app.web import forms
from tests.app.web.edit.editor import EDIT, Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made

A, BASE = "/v1/repo/demo/targets/a", "/v1/repo/demo/targets/base"
DRIFTED = "has changed since this target was made from it"


def test_all_own_overrides_of_a_target_on_itself_are_shown_on_its_first_template(target: Client, visitor: Visitor):
    target.put(A, made("a", max_tokens=200))
    editor = Editor(visitor)
    assert editor.fields["template"] == "default"
    assert (editor.fields["value.temperature"], editor.fields["value.max_tokens"]) == ("0.7", "200")
    editor.fields |= {"how.temperature": "template", "value.temperature": ""}
    assert editor.press().status_code == 303
    config = target.get(A).json["config"]
    assert (config["temperature"], config["max_tokens"]) == (1.0, 200)


def test_a_target_on_itself_that_was_not_changed_is_not_written(target: Client, visitor: Visitor):
    target.put(A, made("a", max_tokens=200))
    version = target.get(A).headers["ETag"]
    assert Editor(visitor).press().status_code == 303
    assert target.get(A).headers["ETag"] == version


def test_a_template_that_changed_is_told_before_saving_takes_its_changes(target: Client, visitor: Visitor):
    target.put(BASE, made(model_name="old/model"))
    target.put(A, made("base", temperature=0.7))
    target.put(BASE, made(model_name="new/model"))
    editor = Editor(visitor)
    assert DRIFTED in editor.text
    changes = editor.text.split("What saving changes")[1].split("</table>")[0]
    assert "old/model" in changes
    assert "new/model" in changes
    editor.type(temperature="0.1")
    editor.press()
    assert target.get(A).json["config"]["model_name"] == "new/model"


def test_a_target_can_be_changed_without_the_changes_of_its_template(target: Client, visitor: Visitor):
    target.put(BASE, made(model_name="old/model"))
    target.put(A, made("base", temperature=0.7))
    target.put(BASE, made(model_name="new/model"))
    editor = Editor(visitor, query="?on=itself")
    assert editor.fields["template"] == "a"
    assert editor.fields["how.temperature"] == "template"
    editor.type(max_tokens="3")
    assert editor.press().status_code == 303
    config = target.get(A).json["config"]
    assert (config["model_name"], config["temperature"], config["max_tokens"]) == ("old/model", 0.7, 3)
    again = Editor(visitor)
    assert again.fields["template"] == "a", "the next change would rebase the target"
    whole = Editor(visitor, query="?on=template")
    assert (whole.fields["template"], whole.fields["value.temperature"]) == ("base", "0.7")
    assert whole.fields["value.max_tokens"] == "3"


def test_a_target_whose_template_is_gone_is_changed_as_it_is(target: Client, visitor: Visitor):
    target.put(BASE, made(model_name="old/model"))
    target.put(A, made("base", temperature=0.7))
    target.delete(BASE)
    editor = Editor(visitor)
    assert "Template base of this target is gone" in editor.text
    editor.type(max_tokens="3")
    assert editor.press().status_code == 303
    config = target.get(A).json["config"]
    assert (config["model_name"], config["temperature"], config["max_tokens"]) == ("old/model", 0.7, 3)


def test_a_conflict_about_a_target_on_itself_compares_its_values(target: Client, visitor: Visitor):
    editor = Editor(visitor, query="?on=itself")
    target.put(A, made(temperature=0.9, max_tokens=100, extra_kwargs={"seed": 1}))
    editor.type(temperature="0.2", num_traj_per_stimulus="4")
    answer = editor.press()
    assert answer.status_code == 412
    assert "config.temperature" in html.unescape(answer.text)
    fields = forms.read(answer.text, f"{EDIT}/merge")
    choice = {"choice/config/temperature": "yours"}
    assert visitor.post(f"{EDIT}/merge", **{**fields, **choice, "do": "merge"}).status_code == 303
    config = target.get(A).json["config"]
    assert (config["temperature"], config["num_traj_per_stimulus"]) == (0.2, 4)
    assert config["extra_kwargs"] == {"seed": 1}

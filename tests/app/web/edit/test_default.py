"""The editor of the default: all its values, without a template."""

import html

from tests.app.web import forms
from tests.app.web.edit.editor import Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import asking

DEFAULT = "/v1/repo/demo/defaults/target"
EDIT = "/alice/demo/default/edit"


def test_the_default_is_edited_in_the_form(target: Client, visitor: Visitor):
    assert f'href="{EDIT}"' in visitor.get("/alice/demo/default").text
    editor = Editor(visitor, EDIT)
    assert (editor.fields["how.temperature"], editor.fields["value.temperature"]) == ("own", "1.0")
    assert editor.fields["how.max_tokens"] == "template"
    editor.type(max_tokens="77", student_prompt="nobody")
    editor.fields |= {"how.model_name": "template", "value.model_name": ""}
    editor.press("card.add", **{"card.type": "custom"})
    editor.fields |= {"generators.0.template_path": "ask.txt", "generators.0.template_content": "Ask."}
    preview = editor.press("preview").text
    assert "77" in preview.split("What saving changes")[1].split("</table>")[0]
    assert "there is no prompt" in preview.split('data-said="student_prompt">')[1].split("</div>")[0]
    answer = editor.press(reason="For all.")
    assert (answer.status_code, answer.location) == (303, "/alice/demo/default")
    config = target.get(DEFAULT).json["config"]
    assert (config["max_tokens"], config["temperature"], "model_name" in config) == (77, 1.0, False)
    assert config["generators"] == [{"type": "custom", "template_path": "templates/ask.txt"}]
    assert target.get("/v1/repo/demo/log").json["commits"][0]["reason"] == "For all."
    again = Editor(visitor, EDIT)
    assert again.fields["generators.0.template_content"] == "Ask."
    version = target.get(DEFAULT).headers["ETag"]
    assert again.press().status_code == 303
    assert target.get(DEFAULT).headers["ETag"] == version


def test_mistakes_in_the_default_stand_at_their_fields(target: Client, visitor: Visitor):
    editor = Editor(visitor, EDIT)
    editor.type(temperature="9")
    answer = editor.press()
    assert answer.status_code == 422
    assert "2.0 or less" in answer.text.split('data-said="temperature">')[1].split("</div>")[0]
    alone = visitor.post(f"{EDIT}/preview", **editor.fields)
    assert 'data-for="temperature" class="mistake"' in alone.text
    target.put("/v1/repo/demo/targets/other", {"template": "default", "overrides": {"generators": asking("Theirs.")}})
    editor = Editor(visitor, EDIT)
    editor.press("card.add", **{"card.type": "custom"})
    editor.fields |= {"generators.0.template_path": "ask.txt", "generators.0.template_content": "Mine."}
    assert editor.press().status_code == 422
    assert target.get(DEFAULT).json["config"]["temperature"] == 1.0


def test_the_default_is_edited_as_yaml(target: Client, visitor: Visitor):
    editor = Editor(visitor, EDIT, "?as=yaml")
    assert editor.fields["yaml"].startswith("config:\r\n")
    answer = editor.press(yaml="config:\n  temperature: 9\n")
    assert answer.status_code == 422
    assert "Line 2: config.temperature" in html.unescape(answer.text)
    editor.press("as.form", yaml="config:\n  temperature: 0.3\n  max_tokens: null\n")
    assert (editor.fields["value.temperature"], editor.fields["how.max_tokens"]) == ("0.3", "template")
    editor.press("as.yaml")
    assert editor.press().status_code == 303
    assert target.get(DEFAULT).json["config"] == {"temperature": 0.3}


def test_a_conflict_about_the_default_is_merged(target: Client, visitor: Visitor):
    editor = Editor(visitor, EDIT)
    config = target.get(DEFAULT).json["config"]
    target.put(DEFAULT, {"config": {**config, "temperature": 0.5, "max_tokens": 5}})
    editor.type(temperature="0.2", max_concurrency="3")
    answer = editor.press()
    assert answer.status_code == 412
    fields = forms.read(answer.text, f"{EDIT}/merge")
    assert visitor.post(f"{EDIT}/merge", **{**fields, "do": "merge"}).status_code == 422
    chosen = {**fields, "choice/config/temperature": "yours", "do": "merge"}
    assert visitor.post(f"{EDIT}/merge", **{**chosen, "version": "0" * 40}).status_code == 404
    assert visitor.post(f"{EDIT}/merge", **{**chosen, "yours": "[]"}).status_code == 422
    assert visitor.post(f"{EDIT}/merge", **chosen).status_code == 303
    after = target.get(DEFAULT).json["config"]
    assert (after["temperature"], after["max_tokens"], after["max_concurrency"]) == (0.2, 5, 3)


def test_who_may_only_read_does_not_edit_the_default(reader: Visitor):
    assert f'href="{EDIT}"' not in reader.get("/alice/demo/default").text
    assert reader.get(EDIT).status_code == 403
    for form in (EDIT, f"{EDIT}/merge", f"{EDIT}/preview"):
        assert reader.post(form).status_code == 403

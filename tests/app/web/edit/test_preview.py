"""The preview of a draft: what each override changes, what the target would get, and who else has to do with it."""

import html

from tests.app.web.edit.editor import EDIT, Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made

A = "/v1/repo/demo/targets/a"


def table(text: str, caption: str) -> str:
    """Return a table of the preview."""
    return html.unescape(text.split(caption)[1].split("</table>")[0])


def test_the_preview_shows_what_overrides_and_saving_change_and_writes_nothing(target: Client, editor: Editor):
    version = target.get(A).headers["ETag"]
    editor.type(temperature="1.3", max_concurrency="10")
    text = editor.press("preview").text
    overrides, changes = table(text, "What the overrides change on default"), table(text, "What saving changes")
    assert "1.3" in overrides
    assert "1.0" in overrides
    assert "100" in overrides
    assert "0.7" in changes
    assert "1.3" in changes
    assert "100" not in changes
    assert "Set here, though default has the same now" in text
    assert "<code>max_concurrency</code>" in text.split("Set here, though")[1].split("</p>")[0]
    assert target.get(A).headers["ETag"] == version


def test_a_script_gets_the_preview_alone_with_messages_by_field(editor: Editor):
    editor.type(temperature="9", student_prompt="nobody")
    answer = editor.visitor.post(f"{EDIT}/preview", **editor.fields)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'data-for="temperature" class="mistake"' in answer.text
    editor.type(temperature="1.2")
    answer = editor.visitor.post(f"{EDIT}/preview", **editor.fields)
    assert 'data-for="student_prompt" class="warning"' in answer.text
    assert "1.2" in table(answer.text, "What saving changes")


def test_the_preview_of_a_new_target_needs_no_name(target: Client, visitor: Visitor):
    editor = Editor(visitor, "/alice/demo/new")
    editor.type(temperature="1.2")
    answer = visitor.post("/alice/demo/new/preview", **editor.fields)
    assert "1.2" in table(answer.text, "What the overrides change on default")
    assert target.get("/v1/repo/demo/targets").json["targets"] == ["a"]


def test_the_preview_has_the_config_that_the_api_previews(target: Client, editor: Editor):
    editor.type(extra_kwargs='{"logit_bias": {"50256": -100}}', model_name=None)
    text = editor.press("preview").text
    whole = text.split("The whole config</summary>")[1].split("</details>")[0]
    body = made(temperature=0.7, max_tokens=100, model_name=None, extra_kwargs={"logit_bias": {"50256": -100}})
    config = target.post("/v1/repo/demo/targets/preview", body).json["config"]
    for name, value in config.items():
        assert f'"{name}"' in html.unescape(whole)
        assert str(value) in html.unescape(whole) or isinstance(value, dict)
    assert '"model_name"' not in html.unescape(whole)


def test_warnings_stand_at_their_fields(editor: Editor):
    editor.type(teacher_prompt="nobody", extra_kwargs='{"n": 3}')
    text = html.unescape(editor.press("preview").text)
    assert "there is no prompt 'nobody'" in text.split('data-said="teacher_prompt">')[1].split("</div>")[0]
    assert "extra_kwargs.n:" in text.split('data-said="extra_kwargs">')[1].split("</div>")[0]


def test_who_else_is_affected_is_told(target: Client, visitor: Visitor):
    target.put("/v1/repo/demo/targets/child", made("a"))
    target.put("/v1/repo/demo/targets/grandchild", made("child"))
    target.put("/v1/repo/demo/labels/production", {"ref": "main"})
    target.put(A, made(temperature=0.8))
    text = Editor(visitor).text.split("Who else is affected")[1]
    assert "2 targets were made from a" in text
    assert "child" in text
    assert "grandchild" in text
    assert "production: another version" in text

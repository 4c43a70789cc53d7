"""The form of a target: what is set here, what the template has, and mistakes at their fields."""

import html

from app.domain.resolution import CONFIG_FIELDS
from app.schemas.targets import GENERATOR_TYPES
from app.web.edit import cards
from tests.app.web import forms
from tests.app.web.edit.editor import EDIT, Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import asking, made

A = "/v1/repo/demo/targets/a"
NEW = "/alice/demo/new"


def overrides(client: Client, name: str = "a") -> dict[str, object]:
    """Return what the file of a target has as overrides, as the explanation tells it."""
    explained = client.get(f"/v1/repo/demo/targets/{name}/explain").json
    own = [field for field in (*explained["fields"], *explained["removed"]) if field["layer"] == "overrides"]
    return {field["field"][1:]: field.get("value") for field in own}


def test_the_form_has_every_field_of_the_schema_and_says_where_its_value_comes_from(editor: Editor):
    for name in CONFIG_FIELDS:
        assert f"how.{name}" in editor.fields
    assert (editor.fields["how.temperature"], editor.fields["value.temperature"]) == ("own", "0.7")
    assert (editor.fields["how.model_name"], editor.fields["value.model_name"]) == ("template", "")
    assert 'placeholder="Qwen/Qwen3-32B"' in editor.text


def test_saving_changes_what_was_typed_and_makes_no_override_of_what_was_not(target: Client, editor: Editor):
    editor.type(temperature="1.5", model_name="some/model")
    answer = editor.press(reason="The model is better.")
    assert (answer.status_code, answer.location) == (303, "/alice/demo/targets/a")
    assert overrides(target) == {"temperature": 1.5, "max_tokens": 100, "model_name": "some/model"}
    commit = target.get("/v1/repo/demo/log").json["commits"][0]
    assert (commit["reason"], commit["author"]["user"]) == ("The model is better.", "alice")


def test_a_field_goes_back_to_the_template_or_loses_its_value(target: Client, editor: Editor):
    editor.fields |= {"how.temperature": "template", "value.temperature": "", "how.model_name": "none"}
    assert editor.press().status_code == 303
    assert target.get(A).json["config"]["temperature"] == 1.0
    assert "model_name" not in target.get(A).json["config"]
    assert overrides(target) == {"max_tokens": 100, "model_name": None}


def test_the_form_of_a_removed_field_says_so(target: Client, visitor: Visitor):
    target.put(A, made(temperature=None, student_prompt=""))
    editor = Editor(visitor)
    assert editor.fields["how.temperature"] == "none"
    assert (editor.fields["how.student_prompt"], editor.fields["value.student_prompt"]) == ("own", "")
    assert editor.press("preview").status_code == 200
    editor.type(max_tokens="5")
    editor.press()
    assert overrides(target) == {"temperature": None, "student_prompt": "", "max_tokens": 5}


def test_saving_without_a_change_writes_nothing(target: Client, editor: Editor):
    before = target.get("/v1/repo/demo/log").json["commits"][0]["commit"]
    assert editor.press().status_code == 303
    assert "you changed nothing" in html.unescape(editor.visitor.get("/alice/demo/targets/a").text)
    assert target.get("/v1/repo/demo/log").json["commits"][0]["commit"] == before


_MISTAKES = [
    ("temperature", "3", "This must be 2.0 or less"),
    ("temperature", "warm", "This must be a number"),
    ("temperature", "", "This must be a number"),
    ("max_tokens", "1.5", "This must be a whole number"),
    ("max_tokens", "0", "This must be 1 or more"),
    ("max_tokens", "9" * 5000, "This must be a whole number"),
    ("teacher_prompt", "../x", "This name must start with a letter or digit"),
    ("extra_kwargs", "{", "This is not JSON"),
    ("extra_kwargs", "[]", "This must be a JSON object"),
    ("extra_kwargs", '{"a": 1, "a": 2}', "twice"),
    ("extra_kwargs", '{"a": 1e999}', "not a finite number"),
    ("extra_kwargs", "[" * 200 + "]" * 200, "nested more than 100 levels"),
    ("extra_kwargs", '{"a": "\\ud800"}', "half of a surrogate pair"),
]


def test_a_mistake_stands_at_its_field_and_keeps_what_was_typed(target: Client, visitor: Visitor):
    for field, text, sentence in _MISTAKES:
        editor = Editor(visitor)
        editor.type(**{field: text, "model_name": "<b>typed</b>"})
        answer = editor.press()
        assert (text, answer.status_code) == (text, 422)
        said = answer.text.split(f'data-said="{field}">')[1].split("</div>")[0]
        assert sentence in html.unescape(said)
        assert editor.fields[f"value.{field}"].replace("\r\n", "\n") == text
        assert editor.fields["value.model_name"] == "<b>typed</b>"
    assert target.get(A).json["config"]["temperature"] == 0.7


def test_a_value_that_was_typed_and_left_to_the_template_needs_a_decision(editor: Editor):
    editor.fields |= {"how.model_name": "template", "value.model_name": "mine"}
    answer = editor.press()
    assert answer.status_code == 422
    assert "You typed a value here" in answer.text.split('data-said="model_name">')[1].split("</div>")[0]


def test_an_unknown_template_is_told_at_its_field(editor: Editor):
    for button, status in (("preview", 200), ("save", 422)):
        answer = editor.press(button, template="nowhere")
        assert answer.status_code == status
        assert (
            "Template &#39;nowhere&#39; not found" in answer.text.split('data-said="template">')[1].split("</div>")[0]
        )
    assert editor.fields["template"] == "nowhere"


def test_a_reason_of_several_lines_is_told_at_its_field(editor: Editor):
    editor.type(temperature="1")
    answer = editor.press(reason="a\x07b")
    assert answer.status_code == 422
    assert "control characters" in answer.text.split('data-said="reason">')[1].split("</div>")[0]


def test_cards_are_added_moved_and_removed_without_saving(target: Client, editor: Editor):
    editor.press("card.add", **{"card.type": "hardcoded"})
    editor.press("card.add", **{"card.type": "persona"})
    editor.fields |= {"generators.0.questions": "One?\r\nTwo?", "generators.1.numq": "5"}
    editor.press("card.up.1")
    assert (editor.fields["generators.0.type"], editor.fields["generators.1.type"]) == ("persona", "hardcoded")
    editor.press("card.add", **{"card.type": "custom"})
    editor.press("card.down.0")
    editor.press("card.remove.2")
    assert editor.fields["card"] == ["0", "1"]
    assert "generators" not in target.get(A).json["config"] or target.get(A).json["config"]["generators"] == []
    assert editor.press().status_code == 303
    expected = [{"type": "hardcoded", "questions": ["One?", "Two?"]}, {"type": "persona", "numq": 5}]
    assert target.get(A).json["config"]["generators"] == expected


def test_a_card_has_the_fields_of_its_type_and_those_that_have_a_value(editor: Editor):
    assert set(cards.USED) == set(GENERATOR_TYPES)
    editor.press("card.add", **{"card.type": "hardcoded"})
    assert "generators.0.questions" in editor.fields
    assert "generators.0.model" not in editor.fields
    editor.fields |= {"generators.0.type": "oneshot_qs", "generators.0.questions": "Kept?"}
    editor.press("preview")
    assert "generators.0.model" in editor.fields
    assert editor.fields["generators.0.questions"] == "Kept?"


def test_a_mistake_in_a_generator_stands_at_the_field_of_its_card(editor: Editor):
    editor.press("card.add", **{"card.type": "persona"})
    editor.press("card.add", **{"card.type": "from_dataset"})
    editor.fields["generators.1.numq"] = "0"
    answer = editor.press()
    assert answer.status_code == 422
    assert "1 or more" in answer.text.split('data-said="generators.1.numq">')[1].split("</div>")[0]
    assert "needs this field" in answer.text.split('data-said="generators.1.dataset">')[1].split("</div>")[0]


def test_generators_of_the_template_are_copied_into_cards(target: Client, editor: Editor):
    target.put("/v1/repo/demo/targets/base", made(generators=[{"type": "persona", "numq": 3}]))
    editor.press("preview", template="base")
    assert "card.copy" in dict(forms.buttons(editor.text, EDIT)).values() or "card.copy" in editor.text
    editor.press("card.copy")
    assert (editor.fields["how.generators"], editor.fields["generators.0.numq"]) == ("own", "3")


def test_a_target_with_more_generators_than_the_form_has_room_for_is_edited_as_yaml(target: Client, visitor: Visitor):
    many = [{"type": "persona", "numq": number} for number in range(1, 1001)]
    target.put("/v1/repo/demo/defaults/target", {"config": {"generators": many}})
    assert target.put(A, made(generators=many)).status_code == 200
    version = target.get(A).headers["ETag"]
    for path in (EDIT, "/alice/demo/default/edit"):
        editor = Editor(visitor, path)
        assert editor.fields["editor"] == "yaml"
        assert "The form has room for 50 generators. There are more here, so you see them as YAML." in editor.text
        assert len(editor.text) < 200_000
        assert editor.press("as.form").status_code == 200
        assert editor.fields["editor"] == "yaml"
        assert editor.press().status_code == 303
        assert "The form has room" not in Editor(visitor, path, "?as=yaml").text
    assert target.get(A).headers["ETag"] == version
    target.put(A, made(generators=many[:50]))
    assert Editor(visitor).fields["generators.49.numq"] == "50"


def test_more_generators_than_the_form_has_room_for_are_not_copied_into_cards(target: Client, editor: Editor):
    target.put("/v1/repo/demo/targets/base", made(generators=[{"type": "persona"}] * 51))
    editor.press("preview", template="base")
    assert "card.copy" not in editor.text
    editor.press("card.copy")
    assert "generators.0.type" not in editor.fields


def test_questions_that_are_no_lines_are_json_and_come_back_as_they_were(target: Client, visitor: Visitor):
    questions = ["Two\nlines?", " spaces ", ""]
    target.put(A, made(generators=[{"type": "hardcoded", "questions": questions, "model": ""}]))
    editor = Editor(visitor)
    assert editor.fields["generators.0.questions.as"] == "json"
    editor.type(max_tokens="7")
    editor.press()
    generators = [{"type": "hardcoded", "model": "", "questions": questions}]
    assert target.get(A).json["config"]["generators"] == generators


def test_a_question_template_is_edited_in_its_card(target: Client, visitor: Visitor):
    target.put(A, made(generators=asking("\nAsk about {x}.\r\nThen stop.\r\n")))
    editor = Editor(visitor)
    assert editor.fields["generators.0.template_content"] == "\r\nAsk about {x}.\r\nThen stop.\r\n"
    editor.type(max_tokens="7")
    editor.press()
    file = "/v1/repo/demo/question-templates/ask.txt"
    assert target.get(file).json["content"] == "\nAsk about {x}.\r\nThen stop.\r\n", "line ends were changed"
    editor = Editor(visitor)
    editor.press(**{"generators.0.template_content": "Other.\r\n"})
    assert target.get(file).json["content"] == "Other.\n"


def test_a_question_template_of_others_is_a_conflict_that_names_them(target: Client, editor: Editor):
    target.put("/v1/repo/demo/targets/other", made(generators=asking("Theirs.")))
    editor.press("card.add", **{"card.type": "custom"})
    editor.fields |= {"generators.0.template_path": "ask.txt", "generators.0.template_content": "Mine."}
    answer = editor.press()
    assert answer.status_code == 422
    assert "other" in answer.text.split('data-said="form">')[1].split("</div>")[0]
    assert editor.fields["generators.0.template_content"] == "Mine."


def test_what_a_target_names_in_vain_is_told_after_saving(editor: Editor):
    editor.type(student_prompt="nobody")
    assert editor.press().status_code == 303
    page = html.unescape(editor.visitor.get("/alice/demo/targets/a").text)
    assert "Target 'a' is saved." in page
    assert '<p class="notice warn" role="status">student_prompt: there is no prompt' in page


def test_a_new_target_is_created_on_a_template(target: Client, visitor: Visitor):
    editor = Editor(visitor, NEW, "?template=a")
    assert editor.fields["template"] == "a"
    editor.type(temperature="0.1")
    answer = editor.press(target_name="b")
    assert (answer.status_code, answer.location) == (303, "/alice/demo/targets/b")
    assert overrides(target, "b") == {"temperature": 0.1}
    assert target.get("/v1/repo/demo/targets/b").json["config"]["max_tokens"] == 100


_NAMES = [
    ("", "must start with a letter"),
    ("default", "must not be &#39;default&#39;"),
    ("x" * 101, "100 characters at most"),
    ("a", "already exists with different configuration"),
    ("con", "Windows"),
    ("A", "only in case"),
]


def test_a_name_that_cannot_be_is_told_at_its_field(target: Client, visitor: Visitor):
    for name, sentence in _NAMES:
        editor = Editor(visitor, NEW)
        editor.type(temperature="0.1")
        answer = editor.press(target_name=name)
        assert (name, answer.status_code) == (name, 422)
        assert sentence in answer.text.split('data-said="target_name">')[1].split("</div>")[0]
        assert editor.fields["value.temperature"] == "0.1"
    assert target.get("/v1/repo/demo/targets").json["targets"] == ["a"]


def test_names_are_offered_while_somebody_types(target: Client, visitor: Visitor):
    for name in ("base_1", "other"):
        target.put(f"/v1/repo/demo/targets/{name}", made())
    target.put("/v1/repo/demo/prompts/polite", {"messages": [{"role": "system", "content": "x"}]})
    assert visitor.get("/alice/demo/names?q=BASE").text == "base_1"
    assert visitor.get("/alice/demo/names?of=prompts").text == "polite"
    page = visitor.get(EDIT).text
    assert '<option value="base_1"></option>' in page
    assert '<option value="polite"></option>' in page


def test_a_repo_of_many_targets_makes_no_large_page(target: Client, visitor: Visitor):
    many = [{"target_name": f"target_{number:04}", "template": "a"} for number in range(1000)]
    assert target.post("/v1/repo/demo/targets/batch", {"targets": many}).status_code == 200
    for path in (EDIT, f"{EDIT}?as=yaml", NEW, "/alice/demo/sweep", "/alice/demo/targets/a/delete"):
        assert len(visitor.get(path).data) < 60_000
    offered = visitor.get("/alice/demo/names?q=target_09").text.split("\n")
    assert (len(offered), offered[0]) == (50, "target_0900")
    assert "1000 targets were made from a" in visitor.get(EDIT).text


def test_markup_in_values_shows_as_text(target: Client, visitor: Visitor):
    bad = "</textarea><script>alert(1)</script>\n{{ 7 * 7 }}"
    target.put(A, made(model_name=bad, extra_kwargs={bad: bad}, generators=asking(bad)))
    editor = Editor(visitor)
    assert "<script>alert" not in editor.text
    assert editor.fields["value.model_name"].replace("\r\n", "\n") == bad
    editor.type(temperature="0.2")
    assert editor.press().status_code == 303
    assert target.get(A).json["config"]["model_name"] == bad

"""A law: what is typed into the form, or as YAML, comes to what the API makes of the same overrides."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from app.domain.resolution import CONFIG_FIELDS
from app.schemas.targets import GENERATOR_TYPES
from app.settings import Settings
from app.web.edit.cards import FIELDS
from app.web.edit.form_draft import FormDraft
from app.web.edit.yaml_draft import YamlDraft
from tests.app.domain.documents import exact
from tests.app.web.edit.editor import Editor
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made
from tests.server import MASTER_KEY

# Text that a browser sends back as it was: it changes how lines end, and an input has no ends of lines.
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
_LINES = st.lists(_TEXT, max_size=3).map("\n".join)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _LINES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)
_COUNT, _TEMPERATURE = st.integers(1, 10**20), st.floats(0, 2)
_NAME = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_GENERATOR_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": _LINES,
    "dataset": _LINES,
    "template_path": _NAME.map("templates/{}".format),
    "numq": _COUNT,
    "max_tokens": _COUNT,
    "temperature": _TEMPERATURE,
    "questions": st.lists(_LINES, max_size=3),
    "seed": st.integers(),
    "rollout_with_conditioned": st.booleans(),
}


def _generator(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    needed = {"hardcoded": "questions", "from_dataset": "dataset"}.get(kind)
    required = {"type": st.just(kind)} | ({needed: _GENERATOR_VALUES[needed]} if needed else {})
    optional = {name: values for name, values in _GENERATOR_VALUES.items() if name != needed}
    return st.fixed_dictionaries(required, optional=optional)


_CONFIG_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "teacher_prompt": _NAME,
    "student_prompt": _NAME | st.just(""),
    "generators": st.lists(st.sampled_from(GENERATOR_TYPES).flatmap(_generator), max_size=3),
    "model_name": _LINES,
    "num_traj_per_stimulus": _COUNT,
    "max_concurrency": _COUNT,
    "max_tokens": _COUNT,
    "temperature": _TEMPERATURE,
    "extra_kwargs": st.dictionaries(_TEXT, _JSON, max_size=3),
}
OVERRIDES = st.fixed_dictionaries({}, optional={name: st.none() | found for name, found in _CONFIG_VALUES.items()})

_Found = tuple[Client, Visitor]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> _Found:
    """Alice with a repo `demo`, signed in, for all examples."""
    app = create_app(Settings(tmp_path_factory.mktemp("law"), master_key=MASTER_KEY))
    alice = Client(app, Client(app, MASTER_KEY).post("/v1/admin/users", {"user_id": "alice"}).json["api_key"])
    alice.post("/v1/repo", {"repo_name": "demo"})
    visitor = Visitor(app)
    visitor.post("/-/sign-in", token=alice.token)
    return alice, visitor


def test_the_law_covers_every_field():
    assert set(_CONFIG_VALUES) == set(CONFIG_FIELDS)
    assert {*_GENERATOR_VALUES, "template_content"} == set(FIELDS)


@given(OVERRIDES, OVERRIDES, st.sampled_from(["", "?as=yaml"]), st.integers(0, 2))
@settings(max_examples=25)
def test_what_is_typed_comes_to_what_the_api_makes_of_it(
    found: _Found, before: dict[str, Any], after: dict[str, Any], how: str, switches: int
):
    alice, visitor = found
    alice.put("/v1/repo/demo/targets/a", made(**before))
    expected = alice.put("/v1/repo/demo/targets/same", made(**after))
    assert expected.status_code == 200, expected.text
    editor = Editor(visitor, query=how)
    _type(editor, {"template": "default", "overrides": after})
    for _ in range(switches):
        editor.press("as.form" if editor.fields["editor"] == "yaml" else "as.yaml")
    answer = editor.press()
    assert answer.status_code == 303, answer.text
    assert exact(alice.get("/v1/repo/demo/targets/a").json["config"]) == exact(expected.json["config"])
    # The file says the same, too: what was not overridden is no override now.
    texts = [_overrides(visitor, name) for name in ("a", "same")]
    assert texts[0] == texts[1]


def test_the_ends_of_lines_that_a_browser_changes_stay(found: _Found):
    alice, visitor = found
    texts = ("a\r\nb", "a\nb", "a\rb")
    generators = [{"type": "hardcoded", "questions": ["one\rstill one", "two"]}]
    generators += [{"type": "custom", "model": text} for text in texts]
    generators += [{"type": "from_dataset", "dataset": text} for text in texts]
    for text in texts:
        overrides = {"model_name": text, "generators": generators, "extra_kwargs": {text: [text]}}
        alice.put("/v1/repo/demo/targets/a", made(**overrides))
        config = alice.get("/v1/repo/demo/targets/a").json["config"]
        for how, field in (("", "value.num_traj_per_stimulus"), ("?as=yaml", "reason")):
            editor = Editor(visitor, query=how)
            editor.fields |= {field: "7", "how.num_traj_per_stimulus": "own"}
            assert editor.press().status_code == 303
            config["num_traj_per_stimulus"] = 7
            assert alice.get("/v1/repo/demo/targets/a").json["config"] == config
    alice.put("/v1/repo/demo/defaults/target", {"config": {"model_name": "a\rb", "generators": generators}})
    default = Editor(visitor, "/alice/demo/default/edit")
    default.type(max_tokens="7")
    assert default.press().status_code == 303
    after = alice.get("/v1/repo/demo/defaults/target").json["config"]
    assert after == {"model_name": "a\rb", "generators": generators, "max_tokens": 7}
    alice.put("/v1/repo/demo/defaults/target", {"config": {}})


@given(OVERRIDES)
@settings(max_examples=25)
def test_an_editor_that_is_opened_and_saved_changes_nothing(found: _Found, overrides: dict[str, Any]):
    alice, visitor = found
    alice.put("/v1/repo/demo/targets/a", made(**overrides))
    version = alice.get("/v1/repo/demo/targets/a").headers["ETag"]
    for how in ("", "?as=yaml"):
        assert Editor(visitor, query=how).press().status_code == 303
        assert alice.get("/v1/repo/demo/targets/a").headers["ETag"] == version


def _overrides(visitor: Visitor, name: str) -> str:
    text: str = visitor.get(f"/alice/demo/targets/{name}/yaml").text
    return text.split("\noverrides:")[1].split("\nconfig:")[0]


def _type(editor: Editor, document: dict[str, Any]) -> None:
    """Type a document, as somebody would who thinks of these overrides."""
    write: dict[str, Callable[[], None]] = {
        "yaml": lambda: editor.fields.update(yaml=_sent(YamlDraft.of(document).text)),
        "form": lambda: _fill(editor, FormDraft.of(document)),
    }
    write[editor.fields["editor"]]()


def _fill(editor: Editor, draft: FormDraft) -> None:
    fields = {name: text for name, text in editor.fields.items() if not name.startswith(("generators.", "card"))}
    for name, row in draft.rows.items():
        fields |= {f"how.{name}": row.how, f"value.{name}": _sent(row.text)}
    for number, card in enumerate(draft.cards):
        start = f"generators.{number}."
        fields |= {f"{start}{name}": _sent(text) for name, text in card.texts.items()}
        fields |= {f"{start}{name}.empty": "1" for name in card.empty}
        fields |= {f"{start}type": card.type, f"{start}questions.as": "json" if card.is_json else "lines"}
    editor.fields = {**fields, "template": draft.template, "card": [str(at) for at in range(len(draft.cards))]}


def _sent(text: str) -> str:
    return text.replace("\n", "\r\n")

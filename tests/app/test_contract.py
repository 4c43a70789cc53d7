"""A view that would be served unchecked stops the server at its start; a wrong answer fails its test."""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from app import api, create_app, openapi
from app.schemas.accounts import TokenCreateSchema
from app.schemas.base import load
from app.schemas.batches import DeletedSchema
from app.schemas.grants import GrantPutSchema
from app.settings import Settings
from app.wire.contract import Answer, TextFormat, accepts, returns
from tests.client import Client, assert_mistakes
from tests.server import MASTER_KEY

DIFF = TextFormat("text/x-diff", "A difference.", "--- a")


def test_every_blueprint_is_registered():
    modules = [importlib.import_module(f"app.api.{found.name}") for found in pkgutil.iter_modules(api.__path__)]
    missing = [
        module.__name__ for module in modules if hasattr(module, "blueprint") and module.blueprint not in api.BLUEPRINTS
    ]
    assert not missing, f"add the blueprints of {missing} to BLUEPRINTS in app/api/__init__.py"


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Flask]:
    """Return a function that starts a server with one more view, whose blueprint checks no token."""
    registered = api.BLUEPRINTS

    def start(view: Callable[..., object], path: str = "/v1/new") -> Flask:
        added = Blueprint("added", __name__)
        added.add_url_rule(path, "view", view)
        monkeypatch.setattr(api, "BLUEPRINTS", (*registered, added))
        return create_app(Settings(tmp_path / "data", MASTER_KEY))

    return start


def answer_nothing(**_: object) -> Answer:
    return {}, 200, {}


def test_a_view_without_both_decorators_stops_the_server(serve: Callable[..., Flask]):
    for view in (answer_nothing, returns(DeletedSchema, 200)(answer_nothing)):
        with pytest.raises(TypeError, match=r"added.view: put @accepts and @returns, in this order, below"):
            serve(view)


def test_a_name_without_a_rule_stops_the_server(serve: Callable[..., Flask]):
    view = accepts(is_open=True)(returns(DeletedSchema, 200)(answer_nothing))
    with pytest.raises(TypeError, match=r"add each name in '/v1/new/<bake_name>' to PATH_NAMES"):
        serve(view, "/v1/new/<bake_name>")


def test_a_view_that_checks_no_token_stops_the_server(serve: Callable[..., Flask]):
    with pytest.raises(TypeError, match=r"added.view needs no token"):
        serve(accepts()(returns(DeletedSchema, 200)(answer_nothing)))
    assert serve(accepts(is_open=True)(returns(DeletedSchema, 200)(answer_nothing)))


def test_decorators_that_say_too_little_are_refused():
    with pytest.raises(TypeError, match="put @returns between @accepts and the view"):
        accepts()(answer_nothing)
    with pytest.raises(TypeError, match=r"GrantPutSchema.: give an `example` of the body"):
        accepts(GrantPutSchema)
    with pytest.raises(TypeError, match="give the statuses"):
        returns(DeletedSchema)


FINE = {"message": "Done"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((FINE, 200, {"ETag": '"1"'}), None),
        (("--- a\n", 200, {"ETag": '"1"'}), None),
        ((FINE, 202, {}), "the status 202"),
        (("--- a\n", 202, {}), "the status 202"),
        ((FINE, 404, {}), "the status 404"),
        ((FINE, 403, {}), "does not fit its schema"),
        ((FINE, 200, {"Git-Commit": "1"}), r"the headers \['Git-Commit'\]"),
        (("--- a\n", 200, {"Git-Commit": "1"}), r"the headers \['Git-Commit'\]"),
        (({}, 200, {}), "does not fit its schema"),
    ],
)
def test_an_answer_that_is_not_documented_fails(app: Flask, answer: Answer, problem: str | None):
    decorated = returns(DeletedSchema, 200, errors=(409,), headers={"ETag": "The version."}, text=DIFF)
    app.add_url_rule("/new", "new", accepts()(decorated(lambda: answer)))
    client = Client(app, None)
    if problem is None:
        assert client.get("/new").status_code == 200
    else:
        with pytest.raises(AssertionError, match=f"GET /new: .*{problem}"):
            client.get("/new")


def test_a_view_may_answer_with_text_alone(app: Flask):
    answers = iter([("--- a\n", 200, {"ETag": '"1"'}), ("--- a\n", 304, {"ETag": '"1"'})])
    decorated = returns((), 200, 304, headers={"ETag": "The version."}, text=DIFF)
    app.add_url_rule("/new", "new", accepts(is_open=True)(decorated(lambda: next(answers))))
    client = Client(app, None)
    found = [(answer.status_code, answer.text) for answer in (client.get("/new"), client.get("/new"))]
    assert found == [(200, "--- a\n"), (304, "")]
    content = openapi.build(app)["paths"]["/new"]["get"]["responses"]["200"]["content"]
    assert content.keys() == {"text/x-diff"}


def test_the_name_limit_of_a_server_is_its_own(tmp_path: Path):
    strict, lenient = (
        Client(create_app(Settings(tmp_path / name, MASTER_KEY, max_name=length)), MASTER_KEY)
        for name, length in (("strict", 5), ("lenient", 100))
    )
    for _ in range(2):
        refused = strict.post("/v1/repo", {"repo_name": "longer"})
        assert_mistakes(refused, (["body", "repo_name"], "string_pattern_mismatch"))
        assert lenient.post("/v1/repo", {"repo_name": "longer"}).status_code in (201, 200)
    strict.get("/v1/repo")
    assert load(TokenCreateSchema(), {"name": "longer"}, ()).name == "longer"

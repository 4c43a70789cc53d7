"""The answers that the API page shows are those that the server gives now, and fit the document."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator

from tests.answers.recording import FILE, NOT_KEPT, Recording, without_varying
from tests.answers.story import record
from tests.client import Client


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("answers") / "data")


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return Client(app, None).get("/openapi.json").json


def contents(document: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield what is said of each answer that is not a refusal: operation, status, media type, and the rest."""
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                for media_type, content in response.get("content", {}).items():
                    yield operation["operationId"], status, media_type, content


@pytest.mark.slow
def test_the_server_answers_as_the_page_shows(recording: Recording):
    kept, now = json.loads(FILE.read_text()), json.loads(recording.text())
    different = [
        f"{kind} {name}"
        for kind in ("answers", "errors")
        for name in sorted(kept[kind].keys() | now[kind].keys())
        if without_varying(json.dumps(kept[kind].get(name))) != without_varying(json.dumps(now[kind].get(name)))
    ]
    assert not different, f"`make answers` records what the server answers now: {different}"


@pytest.mark.slow
def test_an_answer_that_is_not_kept_starts_as_the_page_shows_or_has_its_line(recording: Recording):
    examples = {
        name: content["example"]
        for operation_id, _, media_type, content in contents(recording.document)
        for name in {operation_id, media_type} & set(NOT_KEPT)
    }
    assert recording.not_kept.keys() == examples.keys() == set(NOT_KEPT)
    for name, example in examples.items():
        if name == "read_metrics":
            assert example.rpartition(" ")[0] in recording.not_kept[name].decode()
        else:
            assert recording.not_kept[name].startswith(example.encode())


def test_every_answer_has_an_example_which_fits_its_schema(document: dict[str, Any]):
    found = list(contents(document))
    assert len(found) > 90
    for operation_id, status, media_type, content in found:
        assert "example" in content, f"{operation_id} {status} {media_type}: run `make answers`"
        schema = {"components": document["components"], **content["schema"]}
        problems = [error.message for error in OAS31Validator(schema).iter_errors(content["example"])]
        assert not problems, f"{operation_id} {status} {media_type}: {problems}"


def test_no_answer_shows_a_token():
    tokens = [line for line in FILE.read_text().splitlines() if "bakehouse_" in line]
    assert len(tokens) > 3
    assert all(line.strip(' ,"').endswith("bakehouse_…") for line in tokens)


def test_errors_stand_once_and_each_is_used(document: dict[str, Any]):
    used = set()
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status >= "300" and status != "304" and "$ref" in response:
                    used.add(response["$ref"].removeprefix("#/components/responses/"))
                elif status >= "300" and status != "304":
                    assert (operation["operationId"], status) == ("check_health", "503")
    assert used == document["components"]["responses"].keys()


def test_ids_and_times_may_differ_and_nothing_else():
    same = (f'"{"0a" * 20}"', f'"{"1b" * 20}"'), ("2026-11-27T12:00:00Z", "2027-01-01T00:00:00.123456Z")
    for one, other in same:
        assert without_varying(one) == without_varying(other)
    for one, other in (("temperature: 0.7", "temperature: 0.8"), ("2026-11-27", "2026-11-28"), ("main", "production")):
        assert without_varying(one) != without_varying(other)

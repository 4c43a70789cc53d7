"""docs/api.md lists every operation and every field that the server knows, and no other."""

import re
from pathlib import Path

from flask import Flask

from app.schemas.targets import GENERATOR_TYPES, GeneratorInputSchema, OverridesSchema
from tests.client import Client

PAGE = (Path(__file__).parents[2] / "docs/api.md").read_text()


def table(heading: str) -> str:
    """Return the first column of the table below a heading."""
    section = re.split(r"^#+ ", PAGE.partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    assert rows, heading
    return "\n".join(rows)


def without_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def test_every_operation_is_listed_once(app: Flask):
    text = PAGE.partition("## All operations")[2].partition("\n## ")[0]
    listed = [
        (method, without_names(path.replace("…", "/v1/repo/{repo}")))
        for method, path in re.findall(r"`(GET|PUT|POST|PATCH|DELETE) ([^`\s]+)`", text)
    ]
    paths = Client(app, None).get("/openapi.json").json["paths"]
    served = {(method.upper(), without_names(path)) for path, item in paths.items() for method in item}
    assert len(listed) == len(set(listed))
    assert set(listed) == served


def test_every_read_of_a_repo_takes_a_ref_but_for_those_that_the_page_names(app: Flask):
    paths = Client(app, None).get("/openapi.json").json["paths"]
    without = {
        path.removeprefix("/v1/repo/{repo_name}/")
        for path, item in paths.items()
        if "{repo_name}" in path and "get" in item
        if "ref" not in {parameter.get("name") for parameter in item["get"]["parameters"]}
    }
    assert "takes `ref`, except those of tags, the bundle, and `diff`," in PAGE
    diffs = {"diff", "targets/{target_name}/diff", "prompts/{prompt_name}/diff", "defaults/target/diff"}
    assert without == {"tags", "tags/{tag_name}", "bundle", *diffs}


def test_every_field_of_targets_and_generators_is_listed():
    for heading, schema in (("Fields of a target", OverridesSchema), ("Generators", GeneratorInputSchema)):
        assert set(re.findall(r"`(\w+)`", table(heading))) == schema().fields.keys(), heading
    for name in GENERATOR_TYPES:
        assert f"`{name}`" in PAGE


def test_every_query_parameter_is_named(app: Flask):
    paths = Client(app, None).get("/openapi.json").json["paths"]
    names = {
        parameter["name"]
        for item in paths.values()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    }
    assert len(names) > 5
    assert [name for name in sorted(names) if not re.search(rf"[`?&]{name}[`=]", PAGE)] == []

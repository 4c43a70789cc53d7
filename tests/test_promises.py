"""Each promise of the pages is on its page word for word, and names the tests that hold it."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import TypedDict

import pytest
import yaml

ROOT = Path(__file__).parents[1]


class Promise(TypedDict):
    """What a page says, and the tests by file and name."""

    says: str
    tests: list[str]


PROMISES: dict[str, list[Promise]] = yaml.safe_load((ROOT / "tests/promises.yml").read_text())


def on_one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def names_of_tests(file: str) -> set[str]:
    body = ast.parse((ROOT / file).read_text()).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("page", PROMISES)
def test_each_promise_is_on_its_page_word_for_word(page: str):
    text = on_one_line((ROOT / page).read_text())
    assert not [promise["says"] for promise in PROMISES[page] if promise["says"] not in text]


@pytest.mark.parametrize("page", PROMISES)
def test_each_test_of_a_promise_exists(page: str):
    for promise in PROMISES[page]:
        assert promise["tests"], promise["says"]
        for test in promise["tests"]:
            file, _, name = test.partition("::")
            assert name in names_of_tests(file), f"{test}, of: {promise['says']}"


def test_each_point_of_the_page_on_security_has_a_test():
    text = (ROOT / "SECURITY.md").read_text()
    points = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        if section.startswith("From "):
            points += [on_one_line(point) for point in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]
    assert len(points) > 10
    promised = [promise["says"] for promise in PROMISES["SECURITY.md"]]
    without = [point for point in points if not any(says in point for says in promised)]
    assert not without, f"name the tests of these points in tests/promises.yml: {without}"

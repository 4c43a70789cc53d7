"""`log?field=`: the commits that changed one field of any file, with what they changed there."""

import random
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from storage import field_index
from tests.app.api.helpers import new_user
from tests.app.api.test_repo_diff_laws import change_something
from tests.client import Client
from tests.timeline import LOG, rev_list

FIELDS = [
    *("temperature", "/temperature", "max_tokens", "generators", "generators.0", "generators.0.numq", "generators.1"),
    *("generators.0.questions", "generators.0.questions.1", "extra_kwargs", "/extra_kwargs/a~1b", "/extra_kwargs/~0/y"),
    *("/extra_kwargs/a~1b/1/0", "messages.0.content", "template", "overrides", "overrides.temperature"),
    *("grants.bob", "nothing", "/", "temperature.0"),
]


def keys_of(field: str) -> list[str]:
    if field.startswith("/"):
        return [key.replace("~1", "/").replace("~0", "~") for key in field[1:].split("/")]
    return field.split(".")


def look(value: Any, keys: list[str]) -> list[Any]:
    """Return a list of the value at a place, or an empty one."""
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return []
    return [value]


def filtered(commits: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    """Return what `field` leaves of a log: a filter in Python over all commits and their changes."""
    keys, found = keys_of(field), []
    for commit in commits:
        files = []
        for file in commit["files"]:
            changes = []
            for change in file["changes"] or []:
                place = keys_of(change["field"])
                sides = {side: [change[side]] for side in ("old", "new") if side in change}
                if place[: len(keys)] == keys:
                    changes.append(change)
                elif keys[: len(place)] == place:
                    inner = {side: look(value[0], keys[len(place) :]) for side, value in sides.items()}
                    old, new = inner.get("old", []), inner.get("new", [])
                    if repr(old) != repr(new):
                        pointer = "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)
                        sides = {"old": old, "new": new}
                        changes.append({"field": pointer, **{side: value[0] for side, value in sides.items() if value}})
            if changes:
                files.append({**file, "changes": changes})
        if files:
            found.append({**commit, "files": files})
    return found


def walk(client: Client, query: str) -> list[dict[str, Any]]:
    """Return the commits on all pages of a query."""
    found, before = [], ""
    while before is not None:
        answer = client.get(f"{LOG}?{query}&before={before}")
        assert answer.status_code == 200, answer.text
        found += answer.json["commits"]
        assert not before or answer.json["next"] != before
        before = answer.json["next"]
    return found


@pytest.mark.parametrize(("seed", "commits"), [(0, 256), (1, 8), (2, 5), (3, 1)])
def test_it_equals_a_filter_over_the_whole_log(
    app: Flask, master: Client, alice: Client, monkeypatch: pytest.MonkeyPatch, seed: int, commits: int
):
    """With blocks of several sizes, while the repo grows, at old commits, and with other filters."""
    monkeypatch.setattr(field_index, "COMMITS", commits)
    chance = random.Random(seed)
    new_user(master, "bob")
    for _ in range(3):
        for _ in range(12):
            change_something(app, alice, chance)
        ref = chance.choice(rev_list(app))
        for rest in ("", f"&ref={ref}", "&path=targets/a", "&path=targets/a.yml&author=alice", "&author=nobody"):
            whole = walk(alice, f"limit=100&full=true{rest}")
            for field in FIELDS:
                for limit in (100, 2) if not rest else (100,):
                    found = walk(alice, f"field={quote(field)}&limit={limit}&full=true{rest}")
                    assert found == filtered(whole, field), (field, rest)

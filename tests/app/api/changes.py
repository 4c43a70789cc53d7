"""Changes of every kind, at random, for the laws of logs and comparisons."""

import random
from typing import Any

from flask import Flask

from tests.app.api.helpers import DEFAULT, PROMPTS, TARGETS
from tests.client import Client
from tests.payloads import made
from tests.timeline import commit_by_hand

NAMES = ["a", "b", "c", "d"]


def some_overrides(chance: random.Random) -> dict[str, Any]:
    questions = [chance.choice(["What?", "Why?", "Who~/?", ""]) for _ in range(chance.randint(0, 4))]
    generators = [
        {"type": "hardcoded", "questions": questions},
        {"type": "persona", "numq": chance.randint(1, 3), "seed": chance.randint(1, 3)},
        {"type": "oneshot_qs", "numq": chance.randint(1, 3)},
    ]
    fields: dict[str, Any] = {
        "temperature": chance.choice([0, 0.5, 1, 1.0]),
        "max_tokens": chance.choice([None, 5]),
        "generators": chance.sample(generators, chance.randint(0, 3)),
        "extra_kwargs": {
            "a/b": chance.choice([1, None, True, [1, [2]], [[2], 1]]),
            "~": chance.choice(["x", {"y": 1}]),
        },
    }
    return {name: fields[name] for name in chance.sample([*fields], chance.randint(0, 4))}


def change_something(app: Flask, alice: Client, chance: random.Random) -> None:
    """Write or delete some target, prompt, the default, a grant, or a file by hand."""
    name, what = chance.choice(NAMES), chance.randint(0, 9)
    if what < 4:
        template = chance.choice(["default", *alice.get(TARGETS).json["targets"]])
        answer = alice.put(f"{TARGETS}/{name}", made(template, **some_overrides(chance)))
        assert answer.status_code in (200, 201), answer.text
    elif what == 4:
        alice.delete(f"{TARGETS}/{name}")
    elif what == 5:
        messages = [{"role": "user", "content": chance.choice(["x", "y"])} for _ in range(chance.randint(0, 3))]
        assert alice.put(f"{PROMPTS}/{name}", {"messages": messages}).status_code in (200, 201)
    elif what == 6:
        alice.delete(f"{PROMPTS}/{name}")
    elif what == 7:
        alice.put(DEFAULT, {"config": some_overrides(chance)})
    elif what == 8:
        alice.put("/v1/repo/demo/grants/bob", {"access": chance.choice(["read", "write"])})
    else:
        content = chance.choice([None, b"x", b"y"])
        commit_by_hand(app, {f"templates/{name}.txt": content, f"targets/{name}.md": content and b"z"})

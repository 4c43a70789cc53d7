"""A repo with a history: two targets, one made from the other, a prompt, a label and a tag."""

import pytest

from tests.client import Client

TARGETS = "/v1/repo/demo/targets"
PROMPT = "/v1/repo/demo/prompts/terse"


def put(client: Client, path: str, body: object, reason: str) -> str:
    """Make a change for a reason, and return the commit."""
    answer = client.put(path, body, X_Change_Reason=reason)
    assert answer.status_code == 200, answer.text
    return answer.headers["Git-Commit"]


def overrides(**fields: object) -> dict[str, object]:
    return {"template": "default", "overrides": fields}


def say(content: str) -> dict[str, object]:
    return {"messages": [{"role": "system", "content": content}]}


@pytest.fixture
def story(alice: Client) -> dict[str, str]:
    """The commits of the history, by what they did."""
    one, two = [{"type": "hardcoded", "questions": ["One?"]}], [{"type": "hardcoded", "questions": ["Two?"]}]
    made = {
        "prompt": put(alice, PROMPT, say("Answer in two or three warm sentences."), "The tone"),
        "base": put(alice, f"{TARGETS}/base", overrides(temperature=0.5, generators=one), "A start"),
        "child": put(alice, f"{TARGETS}/child", {"template": "base", "overrides": {"max_tokens": 7}}, "For a test"),
    }
    alice.post("/v1/repo/demo/tags", {"name": "v1"})
    return made | {
        "hot": put(alice, f"{TARGETS}/base", overrides(temperature=1.5, generators=[*two, *one]), "Livelier answers"),
        "short": put(alice, PROMPT, say("Answer in one to three sentences."), "Shorter"),
        "label": put(alice, "/v1/repo/demo/labels/production", {"ref": "v1"}, "Release"),
    }

"""Names that Windows cannot check out are refused for new things; old things of such names go on."""

from typing import Any

import pytest
from flask import Flask

from app.domain import names
from tests.app.api.helpers import DEFAULT, PROMPTS, TARGETS, demo, show
from tests.client import Client, assert_error, assert_mistakes
from tests.payloads import made, target

DEVICES = ["aux", "CON", "Nul", "prn", "com1", "LPT9", "aux.v2", "Com1.tar.gz"]
MESSAGES = [{"role": "user", "content": "Hello"}]


def asking(path: str, content: str = "Ask") -> dict[str, Any]:
    return {"generators": [{"type": "custom", "template_path": path, "template_content": content}]}


@pytest.fixture
def old(alice: Client, master: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Things called `aux` or `nul` that a version without this rule has made."""
    with monkeypatch.context() as patch:
        patch.setattr(names, "_DEVICE", names._WHOLE_ID)
        made_now = [
            alice.post("/v1/repo", {"repo_name": "aux"}),
            alice.post(PROMPTS, {"prompt_name": "aux", "messages": MESSAGES}),
            alice.post(TARGETS, target("aux", **asking("nul.txt"))),
            alice.post("/v1/repo/demo/tags", {"name": "aux"}),
            master.post("/v1/admin/users", {"user_id": "aux"}),
        ]
    assert [answer.status_code for answer in made_now] == [201] * 5


@pytest.mark.parametrize("name", DEVICES)
def test_new_things_must_not_be_called_as_windows_calls_its_devices(alice: Client, master: Client, name: str):
    refused = {
        ("body", "repo_name"): alice.post("/v1/repo", {"repo_name": name}),
        ("body", "target_name"): alice.post(TARGETS, target(name)),
        ("path", "target_name"): alice.put(f"{TARGETS}/{name}", made("default")),
        ("body", "prompt_name"): alice.post(PROMPTS, {"prompt_name": name, "messages": MESSAGES}),
        ("path", "prompt_name"): alice.put(f"{PROMPTS}/{name}", {"messages": MESSAGES}),
        ("body", "template_path"): alice.post(TARGETS, target("a", **asking(f"x/{name}"))),
        ("body", "user_id"): master.post("/v1/admin/users", {"user_id": name}),
        ("body", "name"): alice.post("/v1/repo/demo/tags", {"name": name}),
    }
    for location, answer in refused.items():
        assert_mistakes(answer, (list(location), "string_pattern_mismatch"))
        assert "Windows" in answer.json["detail"][0]["msg"]
    batch = alice.post(f"{PROMPTS}/batch", {"prompts": {name: MESSAGES}})
    assert_mistakes(batch, (["body", "prompt_name"], "string_pattern_mismatch"))
    replaced = alice.put(DEFAULT, {"config": asking(f"{name}.txt")})
    assert_mistakes(replaced, (["body", "template_path"], "string_pattern_mismatch"))


@pytest.mark.parametrize("name", ["console", "auxiliary", "com", "com10", "lpt0", "nulls.v1", "a.aux"])
def test_names_that_are_no_devices_are_accepted(alice: Client, name: str):
    assert alice.post(TARGETS, target(name, **asking(name))).status_code == 201


def test_a_file_name_must_not_end_in_a_dot(alice: Client):
    answer = alice.put(f"{TARGETS}/a", made("default", **asking("ask.")))
    assert_mistakes(answer, (["body", "template_path"], "string_pattern_mismatch"))


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_batch_goes_on_without_such_items(app: Flask, alice: Client, method: str):
    items = [target("aux"), target("good"), target("bad", **asking("nul", "1")), target("from_bad", template="bad")]
    answer = getattr(alice, method)(f"{TARGETS}/batch", {"targets": items})
    assert answer.json["created"] == ["good"]
    assert answer.json["failed"].keys() == {"aux", "bad", "from_bad"}
    assert "Windows" in answer.json["failed"]["aux"]
    assert "templates" not in demo(app, "ls-tree", "--name-only", "main").split()


@pytest.mark.usefixtures("old")
def test_old_things_are_read_replaced_and_deleted(app: Flask, alice: Client):
    assert alice.get("/v1/repo/aux").status_code == 200
    assert alice.post("/v1/repo", {"repo_name": "aux"}).status_code == 200
    assert alice.post(TARGETS, target("aux", **asking("nul.txt"))).status_code == 200
    assert alice.put(f"{TARGETS}/aux", made("aux", temperature=0.5, **asking("nul.txt", "Other"))).status_code == 200
    assert show(app, "templates/nul.txt") == "Other"
    items = [target("aux", template="aux", temperature=0.6)]
    assert alice.put(f"{TARGETS}/batch", {"targets": items}).json["failed"] == {}
    assert alice.put(f"{PROMPTS}/aux", {"messages": MESSAGES * 2}).status_code == 200
    assert alice.post("/v1/repo/demo/tags", {"name": "aux"}).status_code in (200, 409)
    for path in (f"{TARGETS}/aux", f"{PROMPTS}/aux"):
        assert alice.get(path).status_code == 200
        assert alice.delete(path).status_code == 200
        assert_error(alice.get(path), 404, "RESOURCE_NOT_FOUND", "'aux'")
    assert alice.post(f"{TARGETS}/aux/revert", {"to": "aux"}).status_code == 200


@pytest.mark.usefixtures("old")
def test_an_old_user_still_exists(master: Client):
    assert_error(master.post("/v1/admin/users", {"user_id": "aux"}), 409, "RESOURCE_CONFLICT", "'aux'")

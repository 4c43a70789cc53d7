"""Deleting and rebasing a target, after a look at what that does."""

from tests.app.web import forms
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.payloads import made

A, BASE = "/v1/repo/demo/targets/a", "/v1/repo/demo/targets/base"
DELETE, REBASE = "/alice/demo/targets/a/delete", "/alice/demo/targets/a/rebase"


def drift(target: Client) -> None:
    """Make `a` from `base`, and `child` from `a`; then change `base`."""
    target.put(BASE, made(model_name="old/model"))
    target.put(A, made("base", temperature=0.7))
    target.put("/v1/repo/demo/targets/child", made("a", max_tokens=5))
    target.put(BASE, made(model_name="new/model"))


def test_a_target_is_deleted_after_a_look_at_who_was_made_from_it(target: Client, visitor: Visitor):
    target.put("/v1/repo/demo/targets/child", made("a"))
    target.put("/v1/repo/demo/labels/production", {"ref": "main"})
    page = visitor.get(DELETE)
    assert "1 target was made from a" in page.text
    assert "production: the version that is there now" in page.text
    answer = visitor.post(DELETE, **{**forms.read(page.text, DELETE), "reason": "Not used."})
    assert (answer.status_code, answer.location) == (303, "/alice/demo")
    assert target.get(A).status_code == 404
    assert target.get("/v1/repo/demo/log").json["commits"][0]["reason"] == "Not used."


def test_a_target_that_was_written_meanwhile_is_not_deleted(target: Client, visitor: Visitor):
    fields = forms.read(visitor.get(DELETE).text, DELETE)
    target.put(A, made(temperature=0.9))
    answer = visitor.post(DELETE, **fields)
    assert answer.status_code == 412
    assert "Somebody wrote the target meanwhile" in answer.text
    assert visitor.post(DELETE, reason="no version").status_code == 412
    assert visitor.post(DELETE, **{**forms.read(answer.text, DELETE), "reason": "a\x07"}).status_code == 422
    assert target.get(A).status_code == 200


def test_a_rebase_is_shown_and_then_done(target: Client, visitor: Visitor):
    drift(target)
    page = visitor.get(REBASE)
    assert "old/model" in page.text
    assert "new/model" in page.text
    assert "child, on a" not in page.text
    assert target.get(A).json["config"]["model_name"] == "old/model"
    answer = visitor.post(REBASE, **{**forms.read(page.text, REBASE), "reason": "The new model."})
    assert answer.status_code == 303
    assert target.get(A).json["config"]["model_name"] == "new/model"
    assert target.get("/v1/repo/demo/targets/child").json["config"]["model_name"] == "old/model"
    assert target.get("/v1/repo/demo/log").json["commits"][0]["reason"] == "The new model."


def test_a_rebase_takes_all_that_was_made_from_the_target(target: Client, visitor: Visitor):
    drift(target)
    page = visitor.get(f"{REBASE}?descendants=1")
    assert "child, on a" in page.text
    assert "Rebase 2 targets in one commit" in page.text
    assert visitor.post(REBASE, **forms.read(page.text, REBASE)).status_code == 303
    assert target.get("/v1/repo/demo/targets/child").json["config"]["model_name"] == "new/model"


def test_a_rebase_of_a_target_that_was_written_meanwhile_is_shown_again(target: Client, visitor: Visitor):
    drift(target)
    fields = forms.read(visitor.get(REBASE).text, REBASE)
    target.put(A, made("a", max_tokens=3))
    answer = visitor.post(REBASE, **{**fields, "reason": "Mine."})
    assert answer.status_code == 412
    assert "Somebody wrote one of the targets meanwhile, or a template" in answer.text
    assert 'value="Mine."' in answer.text
    assert target.get(A).json["config"]["model_name"] == "old/model"


def test_a_rebase_does_what_was_shown_or_nothing(target: Client, visitor: Visitor):
    drift(target)
    fields = forms.read(visitor.get(f"{REBASE}?descendants=1").text, REBASE)
    before = target.get("/v1/repo/demo/log").json["commits"][0]["commit"]
    assert visitor.post(REBASE, **{**fields, "outcome": None}).status_code == 412
    target.put(BASE, made(model_name="newer/model"))
    answer = visitor.post(REBASE, **fields)
    assert answer.status_code == 412
    assert "newer/model" in answer.text
    commits = target.get("/v1/repo/demo/log").json["commits"]
    assert commits[1]["commit"] == before
    assert visitor.post(REBASE, **forms.read(answer.text, REBASE)).status_code == 303
    assert target.get("/v1/repo/demo/targets/child").json["config"]["model_name"] == "newer/model"


def test_nothing_to_rebase_has_no_button(target: Client, visitor: Visitor):
    page = visitor.get(REBASE)
    assert "Nothing would change" in page.text
    assert f'action="{REBASE}"' not in page.text
    assert target.get(A).status_code == 200


def test_a_template_that_is_gone_is_told(target: Client, visitor: Visitor):
    drift(target)
    target.delete(BASE)
    page = visitor.get(REBASE)
    assert page.status_code == 200
    assert "is gone" in page.text
    assert visitor.post(REBASE).status_code == 409

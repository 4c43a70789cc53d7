"""Runs started, cancelled, resumed and deleted by forms, with the rights and the refusals of the API."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.app.api.helpers import TARGETS
from tests.app.api.runs import ROLLOUT, STIM, make_target, perform_all, runs_of, serve_models, start
from tests.app.web.runs import RUNS, TARGET, carry_out
from tests.app.web.visitor import Visitor
from tests.client import Client
from tests.faulty_proxy import FaultyProxy
from tests.replies import WRONG_KEY


def waiting_rollout(app: Flask, alice: Client, proxy: FaultyProxy) -> str:
    """Start a rollout that no worker carries out, and return the address of its page."""
    serve_models(app, proxy.url)
    make_target(alice)
    start(alice, STIM)
    return f"{RUNS}/{start(alice, ROLLOUT)['key']}"


def test_a_form_starts_a_run_and_leads_to_it(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    serve_models(app, proxy.url)
    make_target(alice)
    assert "Start the stim" in visitor.get(RUNS).text
    early = visitor.post(f"{TARGET}/rollout")
    assert early.status_code == 400
    assert "which was not started. Start the stim first." in early.text
    answer = visitor.post(f"{TARGET}/stim")
    assert (answer.status_code, answer.location) == (303, f"{RUNS}/{alice.get(STIM).json['key']}")
    assert "The stim is complete." in visitor.get(answer.location).text
    answer = visitor.post(f"{TARGET}/rollout")
    page = visitor.get(answer.location).text
    assert "waiting for a worker" in page
    assert f'href="{answer.location}">Load it again</a>' in page
    perform_all(app)
    assert 'data-live="state">complete' in visitor.get(answer.location).text
    assert alice.get(ROLLOUT).json["started_by"]["token"] == "initial"


def test_everything_that_is_missing_is_told_on_the_page(visitor: Visitor, alice: Client):
    alice.put(f"{TARGETS}/a", {"template": "default", "overrides": {"model_name": "gpt"}})
    missing = ("teacher_prompt: ", "student_prompt: ", "generators: ", "model_name: ")
    before = visitor.get(RUNS).text
    answer = visitor.post(f"{TARGET}/rollout")
    assert answer.status_code == 400
    for told in missing:
        assert told in before
        assert told in answer.text
    assert "The run was not started:" in answer.text
    assert alice.get("/v1/repo/demo/runs").json["runs"] == []
    assert visitor.post("/alice/demo/targets/none/stim").status_code == 404
    assert visitor.post(f"{TARGET}/other").status_code == 404


def test_a_run_is_cancelled_with_a_reason_and_resumed(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    rollout = waiting_rollout(app, alice, proxy)
    assert "Cancel the run" in visitor.get(rollout).text
    answer = visitor.post(f"{rollout}/cancel", reason="Too dear <b>")
    assert (answer.status_code, answer.location) == (303, rollout)
    assert alice.get(ROLLOUT).json["error"] == "Cancelled by alice: Too dear <b>"
    page = visitor.get(rollout).text
    assert 'data-live="state">cancelled' in page
    assert "Too dear &lt;b&gt;" in page
    assert "Resume the run" in page
    visitor.post(f"{rollout}/cancel")
    assert "The run was over already." in visitor.get(rollout).text
    assert visitor.post(f"{TARGET}/rollout").location == rollout
    perform_all(app)
    assert alice.get(ROLLOUT).json["status"] == "complete"


def test_a_run_that_failed_says_why_and_is_resumed(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    rollout = waiting_rollout(app, alice, proxy)
    proxy.rule = lambda _: WRONG_KEY
    perform_all(app)
    page = visitor.get(rollout).text
    assert 'data-live="state">failed' in page
    assert "Incorrect API key provided." in page
    proxy.rule = None
    visitor.post(f"{TARGET}/rollout")
    perform_all(app)
    assert 'data-live="state">complete' in visitor.get(rollout).text


def test_a_run_is_deleted(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    stim, rollout = carry_out(app, alice, proxy)
    answer = visitor.post(f"{stim}/delete")
    assert answer.status_code == 409
    assert "delete the rollout first" in answer.text
    answer = visitor.post(f"{rollout}/delete", reason="Old")
    assert (answer.status_code, answer.location) == (303, RUNS)
    assert "The rollout is deleted, with its 6 rows." in visitor.get(RUNS).text
    assert visitor.get(rollout).status_code == 404
    assert visitor.post(f"{stim}/delete").status_code == 303
    assert alice.get("/v1/repo/demo/runs").json["runs"] == []


def test_a_run_that_goes_on_is_not_deleted(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    rollout = waiting_rollout(app, alice, proxy)
    answer = visitor.post(f"{rollout}/delete")
    assert answer.status_code == 409
    assert "cancel it first" in answer.text
    assert visitor.get(rollout).status_code == 200


def test_a_reason_that_git_cannot_hold_is_refused(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    rollout = waiting_rollout(app, alice, proxy)
    assert visitor.post(f"{rollout}/cancel", reason="two\nlines").status_code == 400
    assert alice.get(ROLLOUT).json["status"] == "running"


@pytest.mark.parametrize("access", ["token", "grant"])
def test_who_may_only_read_starts_cancels_and_deletes_nothing(
    app: Flask,
    master: Client,
    alice: Client,
    sign_in: Callable[[str], Visitor],
    proxy: FaultyProxy,
    access: str,
):
    rollout = waiting_rollout(app, alice, proxy)
    if access == "token":
        reader = sign_in(alice.post("/v1/tokens", {"name": "reader", "access": "read"}).json["api_key"])
    else:
        reader = sign_in(master.post("/v1/admin/users", {"user_id": "bob"}).json["api_key"])
        alice.put("/v1/repo/demo/grants/bob", {"access": "read"})
    for address in (f"{TARGET}/stim", f"{TARGET}/rollout", f"{rollout}/cancel", f"{rollout}/delete"):
        assert reader.post(address).status_code == 403
    for address in (RUNS, rollout):
        page = reader.get(address)
        assert page.status_code == 200
        assert f'action="{TARGET}' not in page.text.replace(f'method="get" action="{TARGET}', "")
    assert alice.get(ROLLOUT).json["status"] == "running"


def test_a_form_of_another_site_does_nothing(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    rollout = waiting_rollout(app, alice, proxy)
    for address in (f"{TARGET}/stim", f"{rollout}/cancel", f"{rollout}/delete"):
        assert visitor.client.post(address, data={}).status_code == 400
    assert alice.get(ROLLOUT).json["status"] == "running"


def test_pages_without_a_ledger_say_so(app: Flask, visitor: Visitor, alice: Client, proxy: FaultyProxy):
    stim, _ = carry_out(app, alice, proxy)
    folder = app.extensions["bakehouse"].settings.data_dir
    runs_of(app).database.close()
    for path in folder.glob("runs.sqlite"):
        path.rename(folder / "away")
    for address in (RUNS, stim, "/alice/demo/runs"):
        answer = visitor.get(address)
        assert answer.status_code == 503
        assert "The ledger of runs cannot be used for now" in answer.text

"""What tests of the pages of runs share: a target that is carried out, and the addresses."""

from flask import Flask

from tests.app.api.runs import ROLLOUT, STIM, finish, make_target, serve_models, start, working
from tests.client import Client
from tests.faulty_proxy import FaultyProxy

TARGET = "/alice/demo/targets/a"
RUNS = f"{TARGET}/runs"


def carry_out(app: Flask, alice: Client, proxy: FaultyProxy, **overrides: object) -> tuple[str, str]:
    """Carry out the target `a`, and return the addresses of the pages of its stim and of its rollout."""
    serve_models(app, proxy.url)
    make_target(alice, **overrides)
    stim = start(alice, STIM)
    with working(app):
        rollout = finish(alice, ROLLOUT)
    assert (stim["status"], rollout["status"]) == ("complete", "complete")
    return f"{RUNS}/{stim['key']}", f"{RUNS}/{rollout['key']}"

"""A server whose memory does not suffice for a request answers that request 503, and the repo goes on."""

import sys
from pathlib import Path

from tests.e2e.conftest import new_user
from tests.payloads import made
from tests.server import running

TARGETS = "/v1/repo/demo/targets"
MIB = 1024 * 1024
ROOM = 600 * MIB  # of addresses
LIMITS = {"max_write": str(512 * MIB), "max_document": str(2 * MIB)}
SERVE = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, ({ROOM}, {ROOM}))
from app.cli import main
main(["serve"])
"""


def test_a_write_that_memory_does_not_suffice_for_changes_nothing(tmp_path: Path):
    batch = {"targets": [{"target_name": f"t{number}", "template": "default"} for number in range(250)]}
    with running(tmp_path, [sys.executable, "-c", SERVE], workers="2", threads="2", **LIMITS) as server:
        user = new_user(server)
        user.call("PUT", "/v1/repo/demo/defaults/target", {"config": {"extra_kwargs": {"text": "x" * 1_900_000}}})
        status, answer = user.ask("POST", f"{TARGETS}/batch", batch)
        assert (status, answer.get("code")) == (503, "STORAGE_UNAVAILABLE"), answer
        assert "memory" in answer["message"]
        user.call("PUT", f"{TARGETS}/small", made(temperature=0.5, extra_kwargs=None))
        for _ in range(8):  # in both workers
            assert user.ask("GET", TARGETS) == (200, {"targets": ["small"]})
        assert "Traceback" not in server.log.read_text()

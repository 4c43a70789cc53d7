"""The document and the server agree: schemathesis, with all its checks, against a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import call
from tests.payloads import asking, made, target
from tests.server import MASTER_KEY, running

CONFIG = Path(__file__).parent / "schemathesis"


@pytest.mark.slow
def test_requests_generated_from_the_openapi_document_are_answered_as_it_says(tmp_path: Path):
    with running(tmp_path / "data") as server:
        # one of each thing, under the names that the document's examples have
        call(server, MASTER_KEY, "POST", "/v1/admin/users", {"user_id": "alice"})
        call(server, MASTER_KEY, "POST", "/v1/repo", {"repo_name": "demo"})
        call(server, MASTER_KEY, "POST", "/v1/repo/demo/targets", target("coding_target"))
        call(server, MASTER_KEY, "PUT", "/v1/repo/demo/prompts/system_prompt_v1", {"messages": []})
        asks = made(generators=asking("Ask about {x}.", "questions.txt"))
        call(server, MASTER_KEY, "PUT", "/v1/repo/demo/targets/asking_target", asks)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(CONFIG / "schemathesis.toml")),
                *("run", f"{server.url}/openapi.json"),
                *("--max-examples", "8", "--generation-deterministic"),
                *("--header", f"Authorization: Bearer {MASTER_KEY}", "--no-color"),
            ],
            cwd=tmp_path,
            env=os.environ | {"SCHEMATHESIS_HOOKS": str(CONFIG / "hooks.py")},
            capture_output=True,
            text=True,
            timeout=600,
        )
        log = server.log.read_text()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Failures:" not in done.stdout
    assert "Traceback" not in log

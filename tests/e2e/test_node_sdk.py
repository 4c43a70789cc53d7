"""The published Node SDK, unchanged, against the real server: runs `node/sdk.test.mjs`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import node
from tests.e2e.conftest import User


@pytest.fixture
def installed() -> Path:
    """Return a folder with the script and the SDK that its package.json names."""
    return node.installed(Path(__file__).parent / "node")


def test_every_method_and_error_of_the_node_sdk(installed: Path, user: User):
    done = subprocess.run(
        ["node", "--test", "sdk.test.mjs"],
        cwd=installed,
        env=os.environ | {"BREAD_BASE_URL": user.server.url, "BREAD_API_KEY": user.token},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""The published Node SDK, unchanged, against the real server: runs `node/sdk.test.mjs`."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import User

SCRIPT = Path(__file__).parent / "node"
INSTALLED = Path(__file__).parents[2] / "build/node"
INSTALL = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
IMPATIENTLY = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"]
UNREACHABLE = re.compile(
    r"^npm (?:error|ERR!) code (ECONN\w+|ENOTFOUND|EAI_AGAIN|E\w+UNREACH|\w+TIMED?OUT|FETCH_ERROR|E5\d\d)$",
    re.MULTILINE,
)


@pytest.fixture
def installed() -> Path:
    """Return a folder with the script and the SDK that its package.json names."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed")
    shutil.copytree(SCRIPT, INSTALLED, dirs_exist_ok=True)  # node looks for packages beside a script
    npm = subprocess.run(INSTALL + IMPATIENTLY, cwd=INSTALLED, capture_output=True, text=True, timeout=300)
    if unreachable := UNREACHABLE.search(npm.stderr):
        pytest.skip(f"npm cannot reach its registry: {unreachable[1]}")
    assert npm.returncode == 0, npm.stderr
    return INSTALLED


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

"""Install Node packages for a test, in `build/`."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

_BUILD = Path(__file__).parents[1] / "build"
_INSTALL = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
_IMPATIENTLY = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"]
_UNREACHABLE = re.compile(
    r"^npm (?:error|ERR!) code (ECONN\w+|ENOTFOUND|EAI_AGAIN|E\w+UNREACH|\w+TIMED?OUT|FETCH_ERROR|E5\d\d)$",
    re.MULTILINE,
)


@cache
def installed(scripts: Path) -> Path:
    """Return a folder with the scripts of another folder, and the packages that its package.json names."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed")
    folder = _BUILD / scripts.name
    shutil.copytree(scripts, folder, dirs_exist_ok=True)  # node looks for packages beside a script
    npm = subprocess.run(_INSTALL + _IMPATIENTLY, cwd=folder, capture_output=True, text=True, timeout=300)
    if unreachable := _UNREACHABLE.search(npm.stderr):
        pytest.skip(f"npm cannot reach its registry: {unreachable[1]}")
    assert npm.returncode == 0, npm.stderr
    return folder

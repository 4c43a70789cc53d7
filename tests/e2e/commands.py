"""The commands that ask, as processes of their own: for a terminal and for a pipe."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

from tests.e2e.conftest import User


def settings(user: User, **more: str) -> dict[str, str]:
    """Return the environment of somebody who asks the server."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BAKEHOUSE_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        inherited.pop(name, None)
    return inherited | {
        "BAKEHOUSE_URL": user.server.url,
        "BAKEHOUSE_TOKEN": user.token,
        "BAKEHOUSE_REPO": "demo",
        "TERM": "xterm-256color",
        **more,
    }


def bakehouse(*arguments: str, env: dict[str, str], cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-m", "app.cli", *arguments]
    env = env | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=120)


def on_a_terminal(*arguments: str, env: dict[str, str], columns: int = 200) -> str:
    """Return what a command prints to a terminal of some width."""
    ours, theirs = pty.openpty()
    os.set_inheritable(theirs, True)
    printed: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(ours, 65536):
                printed.append(data)
        except OSError:  # the other side is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        command = [sys.executable, "-m", "app.cli", *arguments]
        resized = env | {"COLUMNS": str(columns)}
        done = subprocess.run(command, env=resized, stdout=theirs, stdin=subprocess.DEVNULL, timeout=120)
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    assert done.returncode == 0
    return b"".join(printed).decode().replace("\r\n", "\n")

"""How git is started: the same for everybody, whatever the machine's configuration says."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from storage.errors import RepositoryDamaged, StorageUnavailable, explained
from storage.machine import cores

_LONGEST = 1800.0  # seconds: maintenance of a large repository takes minutes


def environment() -> dict[str, str]:
    """Return the environment of a git process on a repository of ours."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",  # messages as in C, and letters of any alphabet have their case
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        # The store opened it, so it is ours, whoever owns the folder after a copy.
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        # What git itself writes here is flushed, as all else is.
        "GIT_CONFIG_KEY_1": "core.fsync",
        "GIT_CONFIG_VALUE_1": "all",
    }


def run(name: str, folder: Path, *arguments: str, stdin: str = "", options: Sequence[str] = ()) -> str:
    """Return what a git command says of the repository `name` in a folder; `options` are git's own.

    Raises RepositoryDamaged if it fails, StorageUnavailable if the system lets it not begin. What is not
    UTF-8, as a path may be that somebody committed by hand, is shown as `\ufffd`.
    """
    command = ["git", "--literal-pathspecs", *options, *arguments]
    try:
        with explained(name, folder), cores.on_all_cores():
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment(),
                input=stdin.encode(),
                capture_output=True,
                timeout=_LONGEST,
            )
    except subprocess.TimeoutExpired as error:
        raise StorageUnavailable(name, f"git {arguments[0]} does not end") from error
    if done.returncode != 0:
        raise RepositoryDamaged(name, f"git {arguments[0]} fails")
    return done.stdout.decode("utf-8", "replace")

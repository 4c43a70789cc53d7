"""How git is started: the same for everybody, whatever the machine's configuration says."""

import os


def environment() -> dict[str, str]:
    """Return the environment of a git process on a repository of ours."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        # The store opened it, so it is ours, whoever owns the folder after a copy.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }

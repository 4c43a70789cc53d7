"""The master key, which may do everything: set by the operator, or created at the first start."""

import shlex
import sys
from pathlib import Path

from app import key_files
from app.settings import Settings, SettingsError

_FILE = "master.key"


def ensure(settings: Settings) -> str:
    """Return the master key. If there is none yet, create its file and print how to use it."""
    if settings.master_key is not None:
        return settings.master_key
    path = settings.data_dir / _FILE
    try:
        if key_files.create(path):
            print(_welcome(settings, path), file=sys.stderr, flush=True)
        key = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not ASCII text"
        raise SettingsError(f"The master key in {path} cannot be used: {reason}.") from error
    if not key:
        raise SettingsError(f"{path} is empty: write a key into it, or remove it to get a new key.")
    return key


def _welcome(settings: Settings, path: Path) -> str:
    url = settings.public_url or settings.url
    key = f"$(cat {shlex.quote(str(path))})"
    call = f'curl -sS -H "Authorization: Bearer {key}" -H "Content-Type: application/json"'
    return f"""
A master key was created: {path}
It may do everything, as any user. Create a repo and a target with it:

{call} -d '{{"repo_name": "demo"}}' {url}/v1/repo \
&& {call} -d '{{"target_name": "first", "template": "default", "overrides": {{"temperature": 0.7}}}}' \
{url}/v1/repo/demo/targets
"""

"""Files with a random key of the server, made once, whoever comes first."""

import os
import secrets
from pathlib import Path


def create(path: Path) -> bool:
    """Create a file with a new key of 256 bits, atomically; return whether this process did, and no other."""
    if path.exists():
        return False
    scratch = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    fd = os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(scratch)
    except FileExistsError:  # another process created it first
        return False
    finally:
        scratch.unlink()
    return True

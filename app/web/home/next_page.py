"""Where the sign-in leads: a page of this server, and nowhere else."""

import re

_OURS = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # ASCII without spaces, controls and backslashes


def safe(address: str | None, otherwise: str) -> str:
    """Return an address where it is a path on this server, and `otherwise` where it could be another one."""
    return address if address and _OURS.fullmatch(address) else otherwise

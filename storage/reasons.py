"""Reasons: why somebody made a change, as the message of a commit or tag tells it.

A reason is one line. In a commit it is the first paragraph of the body, and a trailer tells its length, so that no
other line is taken for a reason. In a tag, whose message is all the user's, it is the line before those with the user.
"""

import re

LENGTH = "Reason-Length"  # in characters, 1000 at most
# git may take such a line for the end of the message, or for a comment, so a space goes before it.
_MEANS_MORE = re.compile(r"---|#")
_LENGTH = re.compile(rf"^{LENGTH}: (?P<length>[1-9][0-9]{{0,2}}|1000)$", re.MULTILINE | re.ASCII)


def paragraph(reason: str) -> str:
    """Return the paragraph that tells a reason in a commit."""
    return f" {reason}" if _MEANS_MORE.match(reason) else reason


def find(message: str) -> str | None:
    """Return the reason that the message of a commit tells, or None."""
    trailers = message.rfind("\n\n")
    told = _LENGTH.search(message, trailers + 2)
    start = message.find("\n\n") + 2
    if told is None or start > trailers:
        return None
    line = message[start : message.find("\n", start)]
    reason = line[-int(told["length"]) :]
    return reason if len(reason) == int(told["length"]) and line == paragraph(reason) else None

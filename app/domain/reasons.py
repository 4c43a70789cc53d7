"""The reason for a change, as a header tells it."""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

LONGEST = 1000  # characters
_EXTENDED = re.compile(rb"UTF-8'[A-Za-z0-9-]*'", re.IGNORECASE)  # how a value by RFC 8187 begins
# Control characters, ends of lines, and what has a terminal show the rest of a line in another order.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def read(header: bytes) -> str | None:
    """Return the reason in NFC, without white space at its ends; None where nothing is left.

    The header is UTF-8, percent-encoded or not, and may be in the form of RFC 8187. A `%` that two hex digits do
    not follow stands for itself. ValueError says what is wrong with a header.
    """
    extended = _EXTENDED.match(header)
    try:
        text = unquote_to_bytes(header[extended.end() if extended else 0 :]).decode()
    except UnicodeDecodeError as error:
        raise ValueError("must be UTF-8, as it is or percent-encoded, with '%25' for a '%'") from error
    return checked(text)


def checked(text: str) -> str | None:
    """Return a reason in NFC, without white space at its ends; None where nothing is left. ValueError as in `read`."""
    reason = unicodedata.normalize("NFC", text).strip()
    forbidden = _FORBIDDEN.search(reason)
    if forbidden:
        raise ValueError(f"must be one line without control characters, and has U+{ord(forbidden[0]):04X}")
    if len(reason) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters, and has {len(reason)}")
    return reason or None

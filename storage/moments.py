"""Moments: whole microseconds since 1970, and the line in which a commit tells its own.

git keeps the time of a commit in whole seconds. The last line of each commit by Bakehouse tells the rest.
"""

import re
import time
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000  # microseconds
LAST = 253_402_300_800 * SECOND - 1  # the end of year 9999; a commit made by hand may have a later time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINE = re.compile(rb"\nTime: ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)\n\Z")
_LONGEST_LINE = 40  # bytes


def now() -> int:
    """Return the time of the clock."""
    return int(time.time() * SECOND)


def of(when: datetime) -> int:
    """Return a time with an offset as a moment."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def at(moment: int) -> datetime:
    """Return a moment as a time; the last second of year 9999 for a later one."""
    return _EPOCH + timedelta(microseconds=moment if moment <= LAST else LAST + 1 - SECOND)


def lines(moment: int) -> list[str]:
    """Return the line that tells a moment; none after year 9999."""
    text = at(moment).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return [f"Time: {text}"] if moment <= LAST else []


def exact(seconds: int, commit: bytes) -> int:
    """Return the moment of a commit of some second: as its last line tells, else when the second began."""
    told = _LINE.search(commit[-_LONGEST_LINE:])
    try:
        moment = of(datetime.fromisoformat(told[1].decode())) if told else None
    except ValueError:  # there is no such day
        moment = None
    return moment if moment is not None and moment // SECOND == seconds else seconds * SECOND

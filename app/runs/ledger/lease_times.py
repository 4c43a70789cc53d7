"""When a lease is over."""

from sqlalchemy import ColumnElement

from app.runs.ledger.tables import RUNS

LONGEST = 3600.0  # seconds that an operator may have a lease last at most
_MARGIN = 60.0  # seconds that a clock may be put back without a run being taken from a worker that lives


def is_over(now: float, seconds: float) -> ColumnElement[bool]:
    """Tell of a run whether its lease is over, where a lease is for some `seconds`.

    A lease that ends later than any can is over, too: a clock set it that was ahead. Else nobody would carry out a run
    whose worker died, until the clock is as far again.
    """
    return (RUNS.c.lease_until <= now) | (RUNS.c.lease_until > now + seconds + _MARGIN)

"""What all runs and workers together may ask of an endpoint: requests at once, and requests a minute.

Each holder (a run in a worker) has slots, by a lease: it may have so many requests out. All slots never come to more
than the endpoint's limit: a holder takes only those that nobody has, and gives up only those without a request. The
slots of a holder that no longer renews its lease are free once the lease is over.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.runs.ledger.database import Database
from app.runs.ledger.tables import PACES, SLOTS
from app.runs.recipe import slots
from app.runs.recipe.slots import Claim

_LEASE = 15.0  # seconds
_ALIVE = 3.0  # seconds since its last renewal, after which a holder's turn to start requests is passed on
_SHRINK, _GROW = 0.8, 1.05  # after a 429, and each second without one
_GROWS_AFTER = 1.0  # seconds
_LONGEST_INTERVAL = 62.0  # seconds between two starts, of an endpoint that may be asked once a minute
_AHEAD = 1.5  # seconds for which times to start at are given out
LONGEST = 3600.0  # seconds for which `Retry-After` is heeded at most
_LONGEST_GUESS = 60.0  # seconds, where the endpoint does not say how long


@dataclass(frozen=True, slots=True)
class Ask:
    """What a holder asks for. `most` and `per_minute` are the endpoint's limits.

    `keeps` is how many requests it may have out until it is answered, `starts` how many it could start by then.
    """

    endpoint: str
    holder: str
    most: int
    keeps: int
    wants: int
    per_minute: int = 0
    starts: int = 0
    has_succeeded: bool = False  # since it last asked


@dataclass(frozen=True, slots=True)
class Grant:
    """What a holder may do: have `usable` requests out, none for `cool` seconds, and start some in so many seconds.

    It is settled unless the holder, or another one, has more than its part for now.
    """

    usable: int
    cool: float = 0
    starts: tuple[float, ...] = ()
    is_settled: bool = True


class Limits:
    """The limits of all endpoints in a ledger. Every method may raise LedgerUnavailable."""

    def __init__(self, database: Database, seconds: float = _LEASE) -> None:
        """Keep slots in a ledger; the lease of each holder is for some `seconds`."""
        self._database = database
        self.seconds = seconds

    def renew(self, ask: Ask) -> Grant:
        """Renew a holder's lease, and divide the slots anew."""
        with self._database.begin() as connection:
            pace = _locked_pace(connection, ask.endpoint, ask.most)
            now = self._database.now(connection)
            changes = _righted(pace, now, _interval(ask.per_minute))
            pace |= changes
            rows = _live(connection, ask.endpoint, now, self.seconds)
            others = [_read(row) for row in rows if row["holder"] != ask.holder]
            mine = _claim([_read(row) for row in rows if row["holder"] == ask.holder], ask, now)
            changes |= _grown(pace, ask, now)
            allowed = max(1, int(min(changes.get("allowed", pace["allowed"]), ask.most)))
            target = slots.divide([*others, mine], allowed, now)[ask.holder]
            usable = max(0, min(target, ask.most - sum(claim.held for claim in others)))
            lately = {row["holder"] for row in rows if row["until"] > now + self.seconds - _ALIVE}
            starts = _starts(pace, ask, [mine, *(claim for claim in others if claim.holder in lately)], now)
            if starts:
                changes["next_start"] = starts[-1] + _interval(ask.per_minute)
            held = max(ask.keeps, usable)
            _put(connection, ask.endpoint, _granted(mine, held, bool(starts), now), now + self.seconds)
            if changes:
                connection.execute(update(PACES).where(PACES.c.endpoint == ask.endpoint).values(changes))
        cool = max(0.0, pace["cool_until"] - now)
        return Grant(usable, cool, tuple(start - now for start in starts), is_settled=held == usable == target)

    def throttled(self, endpoint: str, most: int, began: float, retry_after: float | None) -> float:
        """Note that an endpoint answered 429 to a request that began some seconds ago.

        Returns for how many seconds nobody may ask it.
        """
        with self._database.begin() as connection:
            pace = _locked_pace(connection, endpoint, most)
            now = self._database.now(connection)
            pace |= _righted(pace, now)
            if now - began > pace["shrunk"]:  # requests that were out at once are throttled together, and count once
                held = sum(row["held"] for row in _live(connection, endpoint, now, self.seconds))
                allowed = max(1.0, min(pace["allowed"], most, max(held, 1)) * _SHRINK)
                pace |= {"allowed": allowed, "changed": now, "shrunk": now, "strikes": pace["strikes"] + 1}
            pace["cool_until"] = max(pace["cool_until"], now + _cooling(pace["strikes"], retry_after))
            connection.execute(update(PACES).where(PACES.c.endpoint == endpoint).values(pace))
        return float(pace["cool_until"] - now)

    def release(self, endpoint: str, holder: str) -> None:
        """Give up a holder's slots."""
        with self._database.begin() as connection:
            mine = (SLOTS.c.endpoint == endpoint) & (SLOTS.c.holder == holder)
            connection.execute(delete(SLOTS).where(mine))


def _locked_pace(connection: Connection, endpoint: str, most: int) -> dict[str, Any]:
    """Return an endpoint's pace, and keep others from its limits until the transaction ends."""
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    query = select(PACES).where(PACES.c.endpoint == endpoint).with_for_update()
    found = connection.execute(query).mappings().first()
    if found is None:
        first = dict.fromkeys((column.name for column in PACES.c), 0) | {"endpoint": endpoint, "allowed": most}
        connection.execute(insert(PACES).values(first).on_conflict_do_nothing())
        found = connection.execute(query).mappings().one()
    return {column.name: found[column.name] for column in PACES.c}


def _righted(pace: Mapping[str, Any], now: float, interval: float = _LONGEST_INTERVAL) -> dict[str, float]:
    """Return the times of a pace that were set by a clock which was ahead and is right now, as they should be."""
    ahead = max(0.0, pace["changed"] - now, pace["shrunk"] - now)
    latest = {
        "changed": now,
        "shrunk": now,
        "cool_until": min(now + LONGEST, pace["cool_until"] - ahead),
        "next_start": now + _AHEAD + interval,
    }
    return {name: most for name, most in latest.items() if pace[name] > most}


def _live(connection: Connection, endpoint: str, now: float, seconds: float) -> Sequence[RowMapping]:
    """Return the rows of holders whose lease is not over, and forget the others.

    No lease is for more than some `seconds`, whatever the clock was when it began.
    """
    connection.execute(delete(SLOTS).where(SLOTS.c.endpoint == endpoint, SLOTS.c.until <= now))
    mine = select(SLOTS).where(SLOTS.c.endpoint == endpoint)
    rows = connection.execute(mine).mappings().all()
    latest = {SLOTS.c.until: now + seconds, SLOTS.c.since: now, SLOTS.c.paced: now}
    ahead = [column for column, most in latest.items() if any(row[column] > most for row in rows)]
    for column in ahead:
        late = (SLOTS.c.endpoint == endpoint) & (column > latest[column])
        connection.execute(update(SLOTS).where(late).values({column: latest[column]}))
    return connection.execute(mine).mappings().all() if ahead else rows


def _read(row: RowMapping) -> Claim:
    return Claim(row["holder"], row["held"], row["wants"], row["since"], row["paced"], row["starts"])


def _claim(known: list[Claim], ask: Ask, now: float) -> Claim:
    """Return the claim of the holder that asks, before it gets anything. `known` has the one that it had, or none."""
    before = known[0] if known else Claim(ask.holder, 0, 0)
    was, is_now = (before.held > 0, before.wants > 0), (ask.keeps > 0, ask.wants > 0)
    since = before.since if was == is_now else now
    return replace(before, held=ask.keeps, wants=ask.wants, since=since, starts=ask.starts > 0)


def _granted(claim: Claim, held: int, is_paced: bool, now: float) -> Claim:
    """Return a claim with what its holder has now."""
    since = claim.since if (claim.held > 0) == (held > 0) else now
    return replace(claim, held=held, since=since, paced=now if is_paced else claim.paced)


def _put(connection: Connection, endpoint: str, claim: Claim, until: float) -> None:
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {name: getattr(claim, name) for name in ("held", "wants", "since", "paced", "starts")} | {"until": until}
    added = insert(SLOTS).values(endpoint=endpoint, holder=claim.holder, **values)
    connection.execute(added.on_conflict_do_update(index_elements=[SLOTS.c.endpoint, SLOTS.c.holder], set_=values))


def _grown(pace: Mapping[str, Any], ask: Ask, now: float) -> dict[str, Any]:
    """Return what changes in a pace as requests succeed."""
    if not ask.has_succeeded or now < pace["cool_until"] or now - pace["changed"] < _GROWS_AFTER:
        return {}
    if pace["allowed"] >= ask.most and not pace["strikes"]:
        return {}
    return {"allowed": min(float(ask.most), pace["allowed"] * _GROW), "changed": now, "strikes": 0}


def _starts(pace: Mapping[str, Any], ask: Ask, claims: list[Claim], now: float) -> list[float]:
    """Return the times at which a holder may start requests, for the next moments."""
    if not ask.per_minute or not ask.starts:
        return []
    interval, first = _interval(ask.per_minute), max(pace["next_start"], pace["cool_until"], now)
    free = int((now + _AHEAD - first) / interval) + 1 if first <= now + _AHEAD else 0
    return [first + interval * count for count in range(min(ask.starts, slots.starts(claims, ask.holder, free)))]


def _interval(per_minute: int) -> float:
    """Return the seconds between two starts: no minute has more, even where each starts up to a second late."""
    return _LONGEST_INTERVAL / (per_minute or 1)


def _cooling(strikes: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return min(retry_after, LONGEST)
    return min(_LONGEST_GUESS, 2.0 ** min(strikes, 10)) * random.uniform(0.5, 1)  # noqa: S311  no secret

"""Which holder has how many slots of an endpoint, and when requests may start."""

from hypothesis import given
from hypothesis import strategies as st

from app.runs.recipe.slots import TURN, Claim, divide, starts

CLAIMS = st.lists(
    st.builds(
        Claim,
        holder=st.text("abcdefgh", min_size=1, max_size=3),
        held=st.integers(0, 20),
        wants=st.integers(0, 20),
        since=st.floats(0, 100),
        paced=st.floats(0, 100),
        starts=st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda claim: claim.holder,
)


@given(CLAIMS, st.integers(1, 60))
def test_a_division_is_whole_just_and_wastes_nothing(claims: list[Claim], total: int):
    parts = divide(claims, total, now=100)
    wanted = {claim.holder: claim.wants for claim in claims}
    assert parts.keys() == wanted.keys()
    assert sum(parts.values()) == min(total, sum(wanted.values()))
    assert all(0 <= parts[holder] <= wanted[holder] for holder in parts)
    short = [part for holder, part in parts.items() if part < wanted[holder]]
    assert all(part <= min(short, default=total) + 1 for part in parts.values())  # nobody has much more than these
    if sum(wants > 0 for wants in wanted.values()) <= total:
        assert all(parts[holder] >= 1 for holder, wants in wanted.items() if wants)


def test_who_waits_longest_is_next_and_who_has_had_a_turn_waits():
    fresh = Claim("fresh", 1, 1, since=100 - TURN / 2)
    done = Claim("done", 1, 1, since=100 - 2 * TURN)
    long_ago, lately = Claim("long ago", 0, 1, since=10), Claim("lately", 0, 1, since=90)
    claims = [done, lately, fresh, long_ago]
    for total, served in enumerate((["fresh"], ["fresh", "long ago"], ["fresh", "long ago", "lately"]), 1):
        parts = divide(claims, total, now=100)
        assert [holder for holder in ("fresh", "long ago", "lately", "done") if parts[holder]] == served


@given(CLAIMS, st.integers(0, 50))
def test_times_to_start_at_are_given_out_once_and_all(claims: list[Claim], free: int):
    waiting = [claim.holder for claim in claims if claim.starts]
    parts = {claim.holder: starts(claims, claim.holder, free) for claim in claims}
    assert sum(parts.values()) == (free if waiting else 0)
    assert all(parts[claim.holder] == 0 for claim in claims if not claim.starts)
    assert max((parts[holder] for holder in waiting), default=0) - min((parts[h] for h in waiting), default=0) <= 1


def test_the_time_goes_to_who_got_one_longest_ago():
    claims = [Claim("a", 1, 1, paced=5, starts=True), Claim("b", 1, 1, paced=3, starts=True)]
    assert (starts(claims, "a", 1), starts(claims, "b", 1)) == (0, 1)

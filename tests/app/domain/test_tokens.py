"""What a token may make: never anything that may do more than it may itself."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.tokens import Access, Token, TokenRequest

NOW = datetime(2026, 11, 27, tzinfo=UTC)
REPOS = [("me", "a"), ("me", "b"), ("you", "a")]
WAYS_TO_WRITE = ["a", "b", "me/a", "me/b", "you/a"]

requests = st.builds(
    TokenRequest,
    name=st.just("t"),
    access=st.sampled_from(Access),
    repos=st.none() | st.lists(st.sampled_from(WAYS_TO_WRITE), min_size=1).map(tuple),
    expires=st.none() | st.integers(0, 3).map(lambda days: NOW + timedelta(days)),
)


def powers(token: Token) -> set[tuple[str, object]]:
    """Return all that a token may do: what, in which repo, on which day."""
    days = [NOW + timedelta(days, -1) for days in range(6)]
    return {
        (access, (repo, day))
        for access in Access
        for repo in [*REPOS, ("me", "new")]
        for day in days
        if token.access.allows(access)
        if token.is_for("me", *repo)
        if token.expires is None or day < token.expires
    }


@given(by=requests, asked=requests)
def test_a_token_makes_exactly_those_that_may_do_no_more(by: TokenRequest, asked: TokenRequest):
    maker, made = Token.make(by)[0], Token.make(asked)[0]
    refusal = maker.shortfall("me", asked)
    assert refusal == maker.shortfall("me", made)
    if by.access is Access.READ:
        assert refusal is not None
    else:
        assert (refusal is None) == (powers(made) <= powers(maker))


@given(asked=requests)
def test_a_token_made_with_another_one_is_read_as_it_was_written(asked: TokenRequest):
    for made_with in (None, "initial"):
        token, _ = Token.make(asked, made_with)
        assert Token.of(token.document()) == token
        renewed, _ = token.renewed()
        assert (renewed.made_with, renewed.root) == (made_with, made_with or "t")

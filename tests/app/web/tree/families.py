"""Families for tests: any templates, rings among them, and small limits."""

from hypothesis import strategies as st

from app.web.tree.folding import Limits, View
from app.web.tree.graph import Family

NAMES = [f"t{number}" for number in range(24)]
TEMPLATES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["default", "gone", *NAMES]))
LIMITS = st.builds(
    lambda steps, **fields: Limits(tuple(sorted(steps, reverse=True)), **fields),
    st.sets(st.integers(1, 5), min_size=1),
    most=st.integers(1, 12),
    opened=st.integers(1, 8),
    most_opened=st.integers(12, 30),
    deepest=st.integers(1, 4),
)


def views(family: Family) -> st.SearchStrategy[View]:
    """Return views of a family, also such as no link leads to."""
    names = st.sampled_from(["", *family.order])
    return st.builds(View, names, st.lists(names, unique=True, max_size=3).map(tuple), st.integers(0, 30))

"""Data that documents may hold, awkward texts among it, and how to compare it exactly."""

from hypothesis import strategies as st

AWKWARD = [
    *("no", "Yes", "y", "null", "~", "", " ", "1e3", "1E5", ".5", "+1", "0o17", "0x1F", "1_000", "1:30"),
    *("2024-01-01", "2024-01-01T00:00:00Z", ".inf", "-.INF", ".NaN", "<<", "=", "-", "- a", "? a", "a: b"),
    *(
        "a\nb",
        "a\n",
        "a\n\n",
        "\na",
        " a\nb",
        "a \nb",
        "a\n  b\n",
        "a\tb\nc",
        "\r\n",
        "x\x85y",
        "x\u2028y\nz",
    ),
    *(
        "# no comment",
        "%TAG",
        "---",
        "...\n",
        "\x00",
        "\x07\n",
        "\x7f",
        "\ufeffb",
        "😀\nz",
        "é\nü",
        "'",
        '"',
        "\\",
    ),
    *("a" * 2000, "a " * 2000, "9" * 4000),
]
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(AWKWARD)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**80), 10**80) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def exact(value):
    """Return a value so that 1, 1.0 and True, or two orders of keys, are not equal."""
    if isinstance(value, dict):
        return ["dict", [(name, exact(item)) for name, item in value.items()]]
    if isinstance(value, list):
        return ["list", [exact(item) for item in value]]
    return [type(value).__name__, repr(value)]

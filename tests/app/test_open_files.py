"""Open files: a worker never needs more than its limit."""

import resource

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import open_files
from app.settings import SettingsError


def most_open(share: open_files.Share, workers: int) -> int:
    """Return the most files that a worker can have open, by what it has them for."""
    return 26 + workers + 11 * share.threads + 4 * share.repositories + share.connections


@given(st.integers(0, 5000), st.integers(1, 64), st.integers(1, 256))
@example(64, 2, 8)
@example(1024, 2, 256)
def test_shares_of_open_files_stay_within_the_limit(limit: int, workers: int, threads: int):
    try:
        share = open_files.divide(limit, workers, threads)
    except SettingsError:
        assert limit < 44 + workers
        return
    assert most_open(share, workers) <= limit
    assert 1 <= share.threads <= threads
    assert share.repositories >= share.threads
    assert share.connections >= 2 * share.threads
    assert open_files.divide(limit + 1, workers, threads).threads >= share.threads


def test_a_high_limit_reduces_nothing():
    assert open_files.divide(20_000, 2, 8) == (20_000, 8, 1000, 128)


def test_a_low_limit_reduces_repositories_and_connections_first():
    assert open_files.divide(512, 2, 8) == (512, 8, 192, 51)
    assert open_files.divide(64, 2, 8) == (64, 2, 6, 2)


def test_a_limit_below_the_least_is_refused_with_a_sentence():
    with pytest.raises(SettingsError) as caught:
        open_files.divide(45, 3, 8)
    assert str(caught.value) == (
        "A process may open only 45 files at once, and needs at least 46: raise the limit, "
        "for example with `ulimit -n 1024` or systemd's LimitNOFILE."
    )


def test_raise_limit_raises_the_soft_limit_to_the_hard_one():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        assert open_files.limit() == soft - 1
        open_files.raise_limit()
        assert open_files.limit() == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_low_limit_reduces_the_runs_at_once():
    assert open_files.runs_at_once(20_000, 4) == 4
    assert open_files.runs_at_once(128, 4) == 3
    assert open_files.runs_at_once(62, 4) == 1
    with pytest.raises(SettingsError) as caught:
        open_files.runs_at_once(61, 4)
    assert str(caught.value).startswith("A process may open only 61 files at once, and needs at least 62: raise the")

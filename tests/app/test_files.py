"""Open files: a worker never needs more than its limit."""

import resource

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import files
from app.settings import SettingsError


@given(st.integers(0, 5000), st.integers(1, 64), st.integers(1, 256))
@example(64, 2, 8)
@example(1024, 2, 256)
def test_shares_of_open_files_stay_within_the_limit(limit: int, workers: int, threads: int):
    try:
        share = files.divide(limit, workers, threads)
    except SettingsError:
        assert limit < 44 + workers
        return
    assert files.needed(share, workers) <= limit
    assert 1 <= share.threads <= threads
    assert share.repositories >= share.threads
    assert share.connections >= 2 * share.threads
    assert files.divide(limit + 1, workers, threads).threads >= share.threads


def test_a_high_limit_reduces_nothing():
    assert files.divide(20_000, 2, 8) == (20_000, 8, 1000, 128)


def test_a_low_limit_reduces_repositories_and_connections_first():
    assert files.divide(512, 2, 8) == (512, 8, 192, 51)
    assert files.divide(64, 2, 8) == (64, 2, 6, 2)


def test_a_limit_below_the_least_is_refused_with_a_sentence():
    with pytest.raises(SettingsError) as caught:
        files.divide(45, 3, 8)
    assert str(caught.value) == (
        "A process may open only 45 files at once, and 46 are the least: raise the limit, "
        "with `ulimit -n 1024`, say, or systemd's LimitNOFILE."
    )


def test_raise_limit_raises_the_soft_limit_to_the_hard_one():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        assert files.limit() == soft - 1
        files.raise_limit()
        assert files.limit() == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

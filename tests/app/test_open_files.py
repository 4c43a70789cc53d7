"""Few open files: what a worker does at once never needs more than it may have."""

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
def test_the_parts_never_come_to_more_than_the_limit(limit: int, workers: int, threads: int):
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


def test_where_there_are_many_nothing_is_cut_down():
    assert open_files.divide(20_000, 2, 8) == (20_000, 8, 1000, 128)


def test_where_there_are_few_repositories_and_connections_go_first():
    assert open_files.divide(512, 2, 8) == (512, 8, 192, 51)
    assert open_files.divide(64, 2, 8) == (64, 2, 6, 2)


def test_too_few_are_refused_with_a_sentence():
    with pytest.raises(SettingsError) as caught:
        open_files.divide(45, 3, 8)
    assert str(caught.value) == (
        "A process may open only 45 files at once, and needs at least 46: raise the limit, "
        "for example with `ulimit -n 1024` or systemd's LimitNOFILE."
    )


def test_the_limit_is_the_soft_one():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        assert open_files.limit() == soft - 1
        open_files.raise_limit()
        assert open_files.limit() == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

"""The short form of the refusals of `make torture`."""

import errno

import pytest

from tests.torture import refusals


@pytest.mark.slow
def test_a_read_is_right_or_503_when_any_call_is_refused():
    (line,) = refusals.run([errno.EACCES], writes=(), modes=["warm"])
    assert "none wrong" in line


@pytest.mark.slow
def test_a_read_that_opens_a_repository_is_right_or_503_when_any_call_is_refused():
    reads = ("repos with metadata", "target", "tags", "log", "at a time", "clone")
    (line,) = refusals.run([errno.EACCES], reads, (), modes=["journal"])
    assert "none wrong" in line


@pytest.mark.slow
def test_a_request_is_right_or_503_when_any_file_is_missing():
    (line,) = refusals.run([errno.ENOENT], ["target", "tags"], ["target", "tag"], modes=["cold"])
    assert "none wrong" in line

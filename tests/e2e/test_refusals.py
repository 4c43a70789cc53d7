"""Whatever the system refuses once, on the way to any answer: that, or 503 with its reason."""

import errno

from tests.torture import refusals


def test_each_call_of_a_read_may_be_refused():
    (line,) = refusals.run([errno.EACCES], writes=(), modes=["warm"])
    assert "none wrong" in line


def test_each_call_of_one_that_opens_and_publishes_may_be_refused():
    reads = ("repos with metadata", "target", "tags", "log", "at a time", "clone")
    (line,) = refusals.run([errno.EACCES], reads, (), modes=["unpublished"])
    assert "none wrong" in line


def test_what_a_request_looks_for_may_be_missing():
    (line,) = refusals.run([errno.ENOENT], ["target", "tags"], ["target", "tag"], modes=["cold"])
    assert "none wrong" in line

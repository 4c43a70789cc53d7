"""What the tests of journals share: records, and strategies that make them."""

from hypothesis import strategies as st

from storage.journal.records import CommitRecord, TagRecord
from storage.plumbing.object import GitObject

FILES = st.dictionaries(
    st.text("abc/é.", min_size=1, max_size=8),
    st.none() | st.binary(max_size=300).map(lambda data: GitObject.of("blob", data)),
    max_size=4,
)
COMMITS = st.builds(CommitRecord, st.binary(max_size=200).map(lambda data: GitObject.of("commit", data)), FILES)
TAGS = st.builds(
    TagRecord,
    st.text("abé-1", min_size=1, max_size=8),
    st.binary(max_size=200).map(lambda data: GitObject.of("tag", data)),
)
RECORDS = st.lists(COMMITS | TAGS, min_size=1, max_size=5)


def record(data: bytes, **files: bytes) -> CommitRecord:
    """Return a record of a commit with some content, and of the files that it changed."""
    blobs = {path: GitObject.of("blob", content) for path, content in files.items()}
    return CommitRecord(GitObject.of("commit", data), blobs)

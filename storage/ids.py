"""Ids as git makes them: the SHA-1 of an object's type and content."""

from typing import NewType

CommitId = NewType("CommitId", str)  # 40 hex digits
BlobId = NewType("BlobId", str)  # 40 hex digits
ObjectId = NewType("ObjectId", bytes)  # 20 bytes


def object_id(digits: str) -> ObjectId:
    """Return the id that 40 hex digits write."""
    return ObjectId(bytes.fromhex(digits))


def commit_id(found: ObjectId) -> CommitId:
    """Return a commit's id as hex digits."""
    return CommitId(found.hex())


def blob_id(found: ObjectId) -> BlobId:
    """Return a blob's id as hex digits."""
    return BlobId(found.hex())

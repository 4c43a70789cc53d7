"""Ids as git makes them: the SHA-1 of an object's type and content."""

from typing import NewType

CommitId = NewType("CommitId", str)  # 40 hex digits
BlobId = NewType("BlobId", str)  # 40 hex digits
ObjectId = NewType("ObjectId", bytes)  # 20 bytes

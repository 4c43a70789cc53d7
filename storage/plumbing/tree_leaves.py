"""The leaves of a tree object in memory: some neighbouring entries each."""

from itertools import pairwise

_LARGEST = 64  # entries


class Leaf:
    r"""Neighbouring entries of a folder, in git's order.

    `keys` are the names that git sorts by (a folder's name ends in `/` there). `records` are the bytes of
    the entries in the same order: `<mode> <name>\0<20-byte id>`. `lowered` are the keys in lower case, joined by
    zero bytes; None where no key has a capital.
    """

    __slots__ = ("data", "keys", "lowered", "records")

    def __init__(self, keys: tuple[bytes, ...], records: tuple[bytes, ...]) -> None:
        self.keys = keys
        self.records = records
        self.data = b"".join(records)
        joined = b"\0".join(keys)
        lowered = joined.lower()
        self.lowered = None if lowered == joined else b"\0%b\0" % lowered


NO_ENTRIES = Leaf((), ())


def split(keys: tuple[bytes, ...], records: tuple[bytes, ...]) -> tuple[Leaf, ...]:
    """Return entries as leaves of about the same size, as few as possible."""
    if 0 < len(keys) <= _LARGEST:
        return (Leaf(keys, records),)
    count = -(-len(keys) // _LARGEST)
    ends = [len(keys) * number // count for number in range(count + 1)] if count else []
    return tuple(Leaf(keys[start:end], records[start:end]) for start, end in pairwise(ends))

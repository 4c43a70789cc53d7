"""A tree object in which one entry can be found or replaced without rebuilding the others.

GitPython's `Tree` builds every entry in Python, 5 µs each. Here up to 64 entries are one leaf, and a tree that differs
in one entry shares all other leaves. What remains is the cost of git's format, which has all entries in one object.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from storage.ids import ObjectId
from storage.plumbing.tree_leaves import NO_ENTRIES, Leaf, split

FOLDER = b"40000"
FILE = b"100644"
SUBMODULE = b"160000"

_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)


class Tree:
    """The entries of one folder. It never changes, so threads may share it."""

    __slots__ = ("_firsts", "_leaves", "_size")

    def __init__(self, leaves: tuple[Leaf, ...] = ()) -> None:
        self._leaves = leaves
        self._size: int | None = None  # computed when it is asked for
        self._firsts = [leaf.keys[0] for leaf in leaves]

    @classmethod
    def parse(cls, data: bytes, near: "Tree | None" = None) -> "Tree":
        """Read a tree object's content; ValueError if it is not one.

        The leaves at both ends are taken from `near`, a tree with mostly the same entries, where they are equal.
        """
        if near is not None:
            return cls._parse_between(data, near._leaves)
        keys, records, end = [], [], 0
        for match in _ENTRY.finditer(data):
            if match.start() != end:
                break
            end = match.end()
            mode, name, _ = match.groups()
            keys.append(name + b"/" if mode == FOLDER else name)
            records.append(match[0])
        if end != len(data):
            raise ValueError(f"not a tree entry at byte {end}")
        return cls(split(tuple(keys), tuple(records)))

    @classmethod
    def _parse_between(cls, data: bytes, leaves: tuple[Leaf, ...]) -> "Tree":
        """Read what is between the leaves that the content starts with and the leaves that it ends with."""
        first, start = 0, 0
        while first < len(leaves) and data.startswith(leaves[first].data, start):
            start += len(leaves[first].data)
            first += 1
        after, end = len(leaves), len(data)
        while after > first and data.endswith(leaves[after - 1].data, start, end):
            after -= 1
            end -= len(leaves[after].data)
        between = cls.parse(data[start:end])
        return cls(leaves[:first] + between._leaves + leaves[after:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.serialize() == other.serialize()

    @property
    def is_empty(self) -> bool:
        """Tell whether there are no entries."""
        return not self._leaves

    def serialize(self) -> bytes:
        """Return the content of the tree object."""
        data = b"".join([leaf.data for leaf in self._leaves])
        self._size = len(data)
        return data

    def compare(self, base: "Tree") -> tuple[int, bytes, bytes]:
        """Return where the content of this tree starts to differ from another's, and both differing parts.

        Whole leaves are compared, so the two parts may start and end with the same bytes.
        """
        ours, theirs = self._leaves, base._leaves
        lead, most = 0, min(len(ours), len(theirs))
        while lead < most and ours[lead] is theirs[lead]:
            lead += 1
        tail = 0
        while tail < most - lead and ours[-1 - tail] is theirs[-1 - tail]:
            tail += 1
        start = sum([len(leaf.data) for leaf in ours[:lead]])
        ends = [(leaves, len(leaves) - tail) for leaves in (theirs, ours)]
        old, new = (b"".join([leaf.data for leaf in leaves[lead:end]]) for leaves, end in ends)
        return start, old, new

    def changed_since(self, base: "Tree") -> Iterator[tuple[str, ObjectId | None, ObjectId | None, bool]]:
        """Yield each entry that differs from another tree's, in git's order.

        Each as its name, its ids in the other tree and in this one (or None), and whether it is a folder.
        """
        _, old, new = self.compare(base)
        before, after = _entries(old), _entries(new)
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                old_id, new_id = (
                    ObjectId(entry[-20:]) if entry else None for entry in (before.get(key), after.get(key))
                )
                yield key.rstrip(b"/").decode(errors="replace"), old_id, new_id, key.endswith(b"/")

    @property
    def start(self) -> bytes:
        """The mode and name of its first entry, as the content of the tree object starts."""
        return self.start_of(self._leaves[0].data) if self._leaves else b""

    @staticmethod
    def start_of(data: bytes) -> bytes:
        """Return how the content of a tree object starts: the mode and name of its first entry."""
        return data.partition(b"\0")[0]

    @property
    def size(self) -> int:
        """The size of the tree object's content, in bytes."""
        if self._size is None:
            self._size = sum([len(leaf.data) for leaf in self._leaves])
        return self._size

    def names(self) -> list[str]:
        """Return the names in the folder, files and folders, in git's order."""
        if not self._leaves:
            return []
        # All keys at once, which is five times as fast as one by one; only a folder's key has a `/`, at its end.
        # Bytes that are not UTF-8, as in a name that somebody committed by hand, become `\ufffd`.
        keys = b"\0".join(chain.from_iterable(leaf.keys for leaf in self._leaves))
        return keys.replace(b"/", b"").decode(errors="replace").split("\0")

    def files(self, mode: bytes = FILE) -> dict[str, ObjectId]:
        """Return the ids of all files in the folder, or of all entries of another mode, by name."""
        start = mode + b" "
        records = chain.from_iterable(leaf.records for leaf in self._leaves)
        files = [record for record in records if record.startswith(start)]
        return {record[len(start) : -21].decode(errors="replace"): ObjectId(record[-20:]) for record in files}

    def find(self, name: str, mode: bytes = FILE) -> ObjectId | None:
        """Return the 20-byte id of the entry of that name and mode, or None."""
        record = self._entry(_key(name, mode))
        return ObjectId(record[-20:]) if record and record.startswith(mode + b" ") else None

    def other_case(self, names: Collection[str]) -> tuple[str, str] | None:
        """Return a new name and the name of another entry that differ only in case, or None."""
        keys = [name.encode() for name in names]
        new = [key for key in keys if self._entry(key) is None]  # the others were accepted before
        if len(new) == 1:
            other = self._other_case(new[0])
            return None if other is None else (new[0].decode(), other.decode())
        by_lower = {key.lower(): key for leaf in self._leaves for key in leaf.keys} if new else {}
        for key in new:
            other = by_lower.setdefault(key.lower(), key)
            if other != key:
                return key.decode(), other.decode()
        return None

    def _other_case(self, key: bytes) -> bytes | None:
        """Return the key of an entry that differs from a new key only in case, or None.

        The key in lower case is looked up. Leaves with capitals are searched as one text each, 20 times as fast as
        key by key.
        """
        lower = key.lower()
        if lower != key and self._entry(lower) is not None:
            return lower
        wanted = b"\0%b\0" % lower
        for leaf in self._leaves:
            if leaf.lowered is not None and (position := leaf.lowered.find(wanted)) >= 0:
                return leaf.keys[leaf.lowered.count(b"\0", 0, position)]
        return None

    def update(self, files: Mapping[str, ObjectId | None]) -> "Tree":
        """Return this tree with many files set, or left out where their id is None, in one pass."""
        entries = {key: record for leaf in self._leaves for key, record in zip(leaf.keys, leaf.records, strict=True)}
        for name, object_id in files.items():
            if object_id is None:
                entries.pop(_key(name, FILE), None)
            else:
                entries[_key(name, FILE)] = _record(name, object_id, FILE)
        keys = sorted(entries)
        return Tree(split(tuple(keys), tuple(map(entries.__getitem__, keys))))

    def splice(self, name: str, object_id: bytes | None, mode: bytes = FILE) -> "Tree":
        """Return this tree with one entry set, or with it left out where `object_id` is None."""
        key = _key(name, mode)
        index, leaf = self._leaf_of(key)
        start = end = bisect_left(leaf.keys, key)
        if start < len(leaf.keys) and leaf.keys[start] == key:
            end += 1
        entry = ((), ()) if object_id is None else ((key,), (_record(name, object_id, mode),))
        keys = leaf.keys[:start] + entry[0] + leaf.keys[end:]
        changed = split(keys, leaf.records[:start] + entry[1] + leaf.records[end:])
        return Tree(self._leaves[:index] + changed + self._leaves[index + 1 :])

    def _entry(self, key: bytes) -> bytes | None:
        """Return the bytes of the entry of that key, or None."""
        _, leaf = self._leaf_of(key)
        position = bisect_left(leaf.keys, key)
        return leaf.records[position] if leaf.keys[position : position + 1] == (key,) else None

    def _leaf_of(self, key: bytes) -> tuple[int, Leaf]:
        """Return the leaf that an entry is in, or would be, and its position."""
        index = max(0, bisect_right(self._firsts, key) - 1)
        return index, self._leaves[index] if self._leaves else NO_ENTRIES


def _entries(data: bytes) -> dict[bytes, bytes]:
    """Return the bytes of each entry in a part of a tree's content, by key."""
    matches = _ENTRY.finditer(data)
    return {match[2] + b"/" if match[1] == FOLDER else match[2]: match[0] for match in matches}


def _key(name: str, mode: bytes) -> bytes:
    return name.encode() + (b"/" if mode == FOLDER else b"")


def _record(name: str, object_id: bytes, mode: bytes) -> bytes:
    return b"%b %b\0%b" % (mode, name.encode(), object_id)

"""Objects that were written and are in no pack yet."""

from collections.abc import Sequence

from storage.plumbing.packs import Difference, GitObject
from storage.plumbing.trees import Tree

_MOST = 16 * 1024 * 1024  # bytes
_SMALL = 512  # bytes: a tree up to that is put down whole, which takes less time than to compare it
_LONGEST_CHAIN = 50  # of differences; git's own limit when it packs


class Unpacked:
    """What one writer stages, and what is kept of that: the journal has made it durable.

    Trees are held parsed. Any thread may look; who holds the repository changes it, or who follows the
    journal, with the lock of the `Tip`.
    """

    def __init__(self) -> None:
        self._staged: dict[bytes, GitObject | Tree] = {}
        self._kept: dict[bytes, GitObject | Tree] = {}
        self._size = 0  # of what is kept, in bytes
        self._bases: dict[bytes, bytes] = {}  # of some trees: one that they differ little from

    def get(self, object_id: bytes) -> GitObject | Tree | None:
        """Return an object, or None if it is not here."""
        value = self._kept.get(object_id)
        return self._staged.get(object_id) if value is None else value

    def stage(self, item: GitObject) -> GitObject:
        """Take up an object that is no tree."""
        self._staged[item.id] = item
        return item

    def stage_tree(self, tree: Tree, base: bytes | None) -> bytes:
        """Take up a tree, and return its id; `base` is that of one that it differs little from."""
        tree_id = GitObject.of("tree", tree.serialize()).id
        self._staged[tree_id] = tree
        if base is not None:
            self._bases[tree_id] = base
        return tree_id

    def staged(self) -> frozenset[bytes]:
        """Return the ids of what was staged."""
        return frozenset(self._staged)

    def discard(self, keep: frozenset[bytes] = frozenset()) -> None:
        """Forget what was staged, apart from `keep`."""
        for object_id in self._staged.keys() - keep:
            del self._staged[object_id]
            if object_id not in self._kept:
                self._bases.pop(object_id, None)

    def keep(self) -> None:
        """Count what was staged as committed."""
        self._kept |= self._staged
        for value in self._staged.values():
            self._size += value.size if isinstance(value, Tree) else len(value.data)
        self._staged.clear()

    @property
    def is_full(self) -> bool:
        """Tell whether it should be packed before more is kept."""
        return self._size > _MOST

    def kept(self) -> Sequence[GitObject | Difference]:
        """Return what is kept, in the order it was staged; a tree as what differs from an earlier one."""
        chains: dict[bytes, int] = {}  # how many differences lead to each tree
        found: list[GitObject | Difference] = []
        for object_id, value in self._kept.items():
            if not isinstance(value, Tree):
                found.append(value)
                continue
            base = self._bases.get(object_id, b"")
            chain, like = chains.get(base, _LONGEST_CHAIN), self._kept.get(base)
            if chain < _LONGEST_CHAIN and isinstance(like, Tree) and value.size > _SMALL:
                chains[object_id] = chain + 1
                found.append(Difference.of(object_id, base, like.size, *value.compare(like)))
            else:
                chains[object_id] = 0
                found.append(GitObject("tree", value.serialize(), object_id))
        return found

    def clear(self) -> dict[bytes, GitObject | Tree]:
        """Forget what was kept, and return it but for the trees that others followed on."""
        kept, followed = self._kept, set(self._bases.values())
        self._kept, self._size, self._bases = {}, 0, {}
        return {object_id: value for object_id, value in kept.items() if object_id not in followed}

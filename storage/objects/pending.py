"""Objects that no pack has yet."""

from collections.abc import Sequence

from storage.ids import ObjectId
from storage.plumbing.object import GitObject
from storage.plumbing.packs import Delta
from storage.plumbing.trees import Tree

_MOST = 16 * 1024 * 1024  # bytes
_SMALL = 512  # bytes: a tree up to this size is written whole, which is quicker than a comparison
_LONGEST_CHAIN = 50  # deltas from a tree to one that is written whole; git's own limit when it packs


class PendingObjects:
    """New objects: those of one transaction, or all that the journal has made durable. Trees are parsed."""

    def __init__(self) -> None:
        self._objects: dict[ObjectId, GitObject | Tree] = {}
        self._bases: dict[ObjectId, ObjectId] = {}  # of a tree: another that differs from it a little
        self._size = 0  # bytes

    def get(self, wanted: ObjectId) -> GitObject | Tree | None:
        """Return an object, or None."""
        return self._objects.get(wanted)

    def add(self, item: GitObject) -> GitObject:
        """Add an object that is no tree."""
        self._objects[item.id] = item
        return item

    def add_tree(self, tree: Tree, base: ObjectId | None) -> ObjectId:
        """Add a tree and return its id; `base` is the id of a tree that differs from it a little."""
        tree_id = GitObject.of("tree", tree.serialize()).id
        self._objects[tree_id] = tree
        if base is not None:
            self._bases[tree_id] = base
        return tree_id

    def merge(self, new: "PendingObjects") -> None:
        """Add all objects of another."""
        self._objects |= new._objects
        self._bases |= new._bases
        for value in new._objects.values():
            self._size += value.size if isinstance(value, Tree) else len(value.data)

    @property
    def is_full(self) -> bool:
        """Whether these should be packed before more are merged in."""
        return self._size > _MOST

    def packable(self) -> Sequence[GitObject | Delta]:
        """Return all objects in the order in which they came; a tree as a delta where that is smaller."""
        chains: dict[ObjectId, int] = {}  # of each tree: how many deltas lead to it
        found: list[GitObject | Delta] = []
        for object_id, value in self._objects.items():
            if not isinstance(value, Tree):
                found.append(value)
                continue
            base = self._bases.get(object_id)
            like = self._objects.get(base) if base else None
            chain = chains.get(base, _LONGEST_CHAIN) if base else _LONGEST_CHAIN
            if base and chain < _LONGEST_CHAIN and isinstance(like, Tree) and value.size > _SMALL:
                chains[object_id] = chain + 1
                found.append(Delta.of(object_id, base, like.size, *value.compare(like)))
            else:
                chains[object_id] = 0
                found.append(GitObject("tree", value.serialize(), object_id))
        return found

    def clear(self) -> dict[ObjectId, GitObject | Tree]:
        """Drop all objects, and return those worth caching: all but trees that later ones replaced."""
        objects, replaced = self._objects, set(self._bases.values())
        self._objects, self._bases, self._size = {}, {}, 0
        return {object_id: value for object_id, value in objects.items() if object_id not in replaced}

"""New objects on top of those of a repository: what one transaction, or one group of them, has made."""

from collections.abc import Mapping

from storage.errors import NameTaken
from storage.ids import ObjectId
from storage.objects.pending import PendingObjects
from storage.objects.reader import ObjectReader
from storage.plumbing.object import GitObject
from storage.plumbing.trees import FOLDER, Tree

_Files = Mapping[str, GitObject | None]  # by path; None for a file that is removed


class ObjectOverlay(ObjectReader):
    """The objects `below`, and `new` ones. The maker of an overlay merges `new` somewhere, or drops it."""

    def __init__(self, below: ObjectReader) -> None:
        self.name = below.name
        self.new = PendingObjects()
        self._below = below

    def load(self, wanted: ObjectId) -> GitObject | Tree:
        """Return an object; RepositoryDamaged if it cannot be read."""
        value = self.new.get(wanted)
        return self._below.load(wanted) if value is None else value

    def edit(self, root: ObjectId | None, files: _Files, *, check_case: bool = True) -> ObjectId:
        """Add the trees that follow from a folder by setting or removing files; return the new root.

        A folder goes with its last file. Raises NameTaken if a folder would hold two names that differ
        only in case, unless that was checked before.
        """
        return self._edit(root, files, check_case)[0]

    def _edit(self, folder: ObjectId | None, files: _Files, check_case: bool) -> tuple[ObjectId, Tree]:
        tree = Tree() if folder is None else self.tree(folder)
        here: dict[str, ObjectId | None] = {}
        below: dict[str, dict[str, GitObject | None]] = {}
        for path, file in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = file
            else:
                here[name] = None if file is None else file.id
        if check_case:
            clash = tree.other_case([name for name, blob in here.items() if blob is not None])
            if clash is not None:
                raise NameTaken(*clash)
        if here:
            tree = tree.splice(*next(iter(here.items()))) if len(here) == 1 else tree.update(here)
        for name, nested in below.items():
            child_id, child = self._edit(tree.find(name, FOLDER), nested, check_case)
            tree = tree.splice(name, None if child.is_empty else child_id, FOLDER)
        return self.new.add_tree(tree, folder), tree

"""The files of a repository at one commit."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from storage.ids import BlobId, CommitId, ObjectId, blob_id, object_id
from storage.objects.reader import ObjectReader
from storage.plumbing.commits import CommitHeader
from storage.plumbing.object import GitObject
from storage.plumbing.trees import FILE, FOLDER, SUBMODULE, Tree

_FEW_FILES, _MANY_FILES = 16, 512
_AHEAD = 1024 * 1024  # bytes
_EMPTY_TREE_ID = GitObject.of("tree", b"").id


@dataclass(frozen=True, slots=True)
class File:
    """A file at a commit: its blob id and content."""

    id: BlobId
    data: bytes


@dataclass(frozen=True, slots=True)
class Listing:
    """The entries of a folder at a commit: the folder's tree, and its id as 40 hex digits."""

    version: str
    _tree: Tree

    def changed_since(self, other: "Listing") -> Iterator[tuple[str, bool]]:
        """Yield the name of each entry that is not as in another listing, and whether both listings have the name."""
        for name, old, new, _ in self._tree.changed_since(other._tree):
            yield name, old is not None and new is not None


class Snapshot:
    """The files of one commit. It never changes, so threads may share it."""

    def __init__(self, objects: ObjectReader, commit: CommitId, header: CommitHeader | None = None) -> None:
        """Open a commit; RepositoryDamaged if it is missing. Its maker gives its `header`."""
        self.commit = commit
        header = header or objects.header(object_id(commit))
        self.root, self.time, self.moment = header.tree, header.time, header.moment
        self.parent = header.parent  # the commit before, or None
        self._objects = objects

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._objects.name

    def read(self, path: str) -> File | None:
        """Return the file at a path such as `targets/a.yml`, or None."""
        found = self._find(path, FILE)
        return None if found is None else File(blob_id(found), self._objects.blob(found))

    def version(self, path: str) -> BlobId | None:
        """Return the blob id of the file at a path, or None. The file itself is not read."""
        found = self._find(path, FILE)
        return None if found is None else blob_id(found)

    def blob(self, named: str) -> bytes:
        """Return the content of a blob that the history names; RepositoryDamaged if it is missing."""
        return self._objects.named_blob(named)

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder, in git's order; `` is the outermost. No names where there is none."""
        folder_id = self._find(folder, FOLDER) if folder else self.root
        return [] if folder_id is None else self._objects.tree(folder_id).names()

    def versions(self, folder: str) -> dict[str, BlobId]:
        """Return the blob ids of all files in a folder, by name. The files themselves are not read."""
        folder_id = self._find(folder, FOLDER)
        files = {} if folder_id is None else self._objects.tree(folder_id).files()
        return {name: blob_id(found) for name, found in files.items()}

    def folder_version(self, folder: str) -> str:
        """Return a folder's tree id, as 40 hex digits; the empty tree's where there is no such folder."""
        return (self._find(folder, FOLDER) or _EMPTY_TREE_ID).hex()

    def listing(self, folder: str) -> Listing:
        """Return the entries of a folder, to be compared with those of another commit."""
        found = self._find(folder, FOLDER)
        return Listing((found or _EMPTY_TREE_ID).hex(), Tree() if found is None else self._objects.tree(found))

    def read_all(self, paths: Iterable[str]) -> Iterator[File | None]:
        """Yield the file at each path, or None, reading ahead: to read each file alone takes ten times as long.

        The first files are read when they are asked for, and of those that follow no more than a megabyte ahead.
        """
        remaining = iter(paths)
        found: deque[ObjectId | None] = deque()
        count = _FEW_FILES
        while True:
            found.extend(self._find(path, FILE) for path in islice(remaining, count - len(found)))
            if not found:
                return
            self._objects.load_ahead([object_id for object_id in found if object_id is not None], _AHEAD)
            size = 0
            while found and size < _AHEAD:
                object_id = found.popleft()
                data = b"" if object_id is None else self._objects.blob(object_id)
                yield None if object_id is None else File(blob_id(object_id), data)
                size += len(data)
            count = min(2 * count, _MANY_FILES)

    def is_submodule(self, path: str) -> bool:
        """Tell whether somebody put a commit of another repository at a path, by hand."""
        return self._find(path, SUBMODULE) is not None

    def _find(self, path: str, mode: bytes) -> ObjectId | None:
        *folders, name = path.split("/")
        tree = self._objects.tree(self.root)
        for folder in folders:
            folder_id = tree.find(folder, FOLDER)
            if folder_id is None:
                return None
            tree = self._objects.tree(folder_id)
        return tree.find(name, mode)

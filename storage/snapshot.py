"""What lies in a repository at one commit."""

from dataclasses import dataclass

from storage.objects.database import ObjectDatabase
from storage.plumbing.commits import CommitHeader
from storage.plumbing.packs import GitObject
from storage.plumbing.trees import FILE, FOLDER, SUBMODULE

_EMPTY_TREE_ID = GitObject.of("tree", b"").id


@dataclass(frozen=True, slots=True)
class File:
    """A file at a commit: its blob id (40 hex digits) and content."""

    id: str
    data: bytes


class Snapshot:
    """The files of one commit. It never changes, so threads may share it."""

    def __init__(self, objects: ObjectDatabase, commit: str, header: CommitHeader | None = None) -> None:
        """Open the commit of that id (40 hex digits); RepositoryDamaged if it is not there.

        Who made it knows what it says of itself, its `header`.
        """
        self.commit = commit
        header = header or objects.commit(bytes.fromhex(commit))
        self.root, self.time = header.tree, header.time
        self._objects = objects

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._objects.name

    def read(self, path: str) -> File | None:
        """Return the file at a path such as `targets/a.yml`, or None."""
        blob_id = self._find(path, FILE)
        return None if blob_id is None else File(blob_id.hex(), self._objects.blob(blob_id))

    def blob(self, blob_id: str) -> bytes:
        """Return the content of a blob (40 hex digits) that the history names; else RepositoryDamaged."""
        return self._objects.named_blob(blob_id)

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder, in git's order; `` is the outermost. No names where there is none."""
        folder_id = self._find(folder, FOLDER) if folder else self.root
        return [] if folder_id is None else self._objects.tree(folder_id).names()

    def folder_version(self, folder: str) -> str:
        """Return a folder's tree id (40 hex digits); the empty tree's where there is no such folder."""
        return (self._find(folder, FOLDER) or _EMPTY_TREE_ID).hex()

    def is_submodule(self, path: str) -> bool:
        """Tell whether somebody put a commit of another repository at a path, by hand."""
        return self._find(path, SUBMODULE) is not None

    def _find(self, path: str, mode: bytes) -> bytes | None:
        *folders, name = path.split("/")
        tree = self._objects.tree(self.root)
        for folder in folders:
            folder_id = tree.find(folder, FOLDER)
            if folder_id is None:
                return None
            tree = self._objects.tree(folder_id)
        return tree.find(name, mode)

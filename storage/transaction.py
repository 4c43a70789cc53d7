"""What one caller wants changed in a repository: reads, writes and commits on top of its tip."""

from collections.abc import Iterator, Sequence

from storage import moments
from storage.budget import Budget, Limits
from storage.ids import BlobId, CommitId, ObjectId, blob_id, commit_id
from storage.journal.records import CommitRecord
from storage.objects.overlay import ObjectOverlay
from storage.plumbing.commits import CommitHeader
from storage.plumbing.object import GitObject
from storage.signatures import Person
from storage.snapshot import File, Snapshot

ATTRIBUTES = ".gitattributes"
# A clone must hold the bytes that the blobs have, also where `core.autocrlf` would have git change line ends.
AS_THEY_ARE = b"* -text\n"


class Transaction:
    """The tip of a repository, and what one caller wants changed on it.

    Reads see the caller's own writes, and those of the transactions before it.
    """

    def __init__(
        self, objects: ObjectOverlay, tip: CommitId | None, limits: Limits, earlier: Sequence[CommitRecord] = ()
    ) -> None:
        """Start at the commit `tip`, or in a new repository at none; the new objects go into `objects`.

        `earlier` are the commits up to `tip` that the journal does not have yet.
        """
        self._tip = tip
        self._earlier = earlier
        self.budget = Budget(limits)
        self.records: list[CommitRecord] = []
        self._objects = objects
        self._base = None if tip is None else Snapshot(objects, tip)
        self._writes: dict[str, GitObject | None] = {}
        self._reads: dict[str, File | None] = {}

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._objects.name

    @property
    def tip(self) -> CommitId:
        """The last commit; a new repository has none before the transaction's first."""
        assert self._tip is not None
        return self._tip

    def changed_before(self) -> Iterator[str]:
        """Yield the paths of the files that commits changed which the journal does not have yet."""
        for record in (*self._earlier, *self.records):
            yield from record.files

    def read(self, path: str) -> File | None:
        """Return the file at a path such as `targets/a.yml`, or None."""
        if path in self._writes:
            written = self._writes[path]
            return None if written is None else File(blob_id(written.id), written.data)
        if path not in self._reads:  # a batch reads the same template again and again
            self._reads[path] = self._base.read(path) if self._base else None
        return self._reads[path]

    def version(self, path: str) -> BlobId | None:
        """Return the blob id of the file at a path, or None. The file itself is not read."""
        if path in self._writes:
            written = self._writes[path]
            return None if written is None else blob_id(written.id)
        return self._base.version(path) if self._base else None

    def blob(self, named: str) -> bytes:
        """Return the content of a blob that the history names; RepositoryDamaged if it is missing."""
        return self._objects.named_blob(named)

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder, with the caller's own writes."""
        names = set(self._base.list(folder)) if self._base else set()
        for path, file in self._writes.items():
            parent, _, name = path.rpartition("/")
            if parent == folder:
                names.discard(name) if file is None else names.add(name)
        return sorted(names)

    def versions(self, folder: str) -> dict[str, BlobId]:
        """Return the blob ids of all files in a folder, by name, with the caller's own writes."""
        found = self._base.versions(folder) if self._base else {}
        for path, file in self._writes.items():
            parent, _, name = path.rpartition("/")
            if parent == folder and file is None:
                found.pop(name, None)
            elif parent == folder and file is not None:
                found[name] = blob_id(file.id)
        return found

    def folder_version(self, folder: str) -> str:
        """Return a folder's tree id as 40 hex digits, without the caller's own writes since the last commit."""
        assert self._base is not None
        return self._base.folder_version(folder)

    def write(self, path: str, data: bytes) -> BlobId:
        """Put a file at a path, and return its blob id; TooLarge if that is more than may be written."""
        self.budget.spend(path, len(data))
        self._writes[path] = blob = self._objects.new.add(GitObject.of("blob", data))
        return blob_id(blob.id)

    def remove(self, path: str) -> None:
        """Remove the file at a path."""
        self._writes[path] = None

    def commit(self, message: str, author: Person) -> CommitId:
        """Commit what was written, and return the commit's id; the tip's where nothing differs from it.

        Raises NameTaken if a folder would hold two names that differ only in case. The commit counts once the
        repository's tip has moved to it, which `Repository.transact` does after the change returns.
        """
        self._add_attributes()
        root = self._objects.edit(self._base.root if self._base else None, self._writes)
        if self._base is None or root != self._base.root:
            header = self._header(root)
            commit = GitObject.of("commit", header.serialize(author, message))
            self.records.append(CommitRecord(self._objects.new.add(commit), self._writes))
            self._tip = commit_id(commit.id)
            self._base = Snapshot(self._objects, self._tip, header)
        self._writes, self._reads = {}, {}
        return self._base.commit

    def _add_attributes(self) -> None:
        """Write git's attributes beside what is written, unless the repository has any."""
        names = [*self._writes, *(self._base.list("") if self._base else ())]
        if ATTRIBUTES in map(str.lower, names):
            return
        scratch = ObjectOverlay(self._objects)  # attributes alone are no reason for a commit
        if self._base is None or scratch.edit(self._base.root, self._writes, check_case=False) != self._base.root:
            self._writes[ATTRIBUTES] = self._objects.new.add(GitObject.of("blob", AS_THEY_ARE))

    def _header(self, root: ObjectId) -> CommitHeader:
        now = moments.now()
        if self._base is None:
            return CommitHeader(root, None, now)
        # A clock that jumped back must not reorder the history. Each commit has a moment of its own.
        return CommitHeader(root, self._base.commit, max(now, self._base.moment + 1))

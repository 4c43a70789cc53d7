"""Folders with a YAML file for each thing of a kind, such as `targets/` and `prompts/`."""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import Conflict, NotFound
from app.domain.preconditions import UNCONDITIONAL, Precondition
from app.registry import messages
from app.registry.documents import Source
from app.registry.messages import Origin
from storage.errors import NameTaken
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.transaction import Transaction

_SUFFIX = ".yml"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, such as `targets`, of files that each hold a thing of one `kind`, such as `Target`."""

    name: str
    kind: str

    def path(self, name: str) -> str:
        """Return the path of a file."""
        return f"{self.name}/{self.file(name)}"

    def file(self, name: str) -> str:
        """Return the name of a file in the folder."""
        return f"{name}{_SUFFIX}"

    @staticmethod
    def name_of(entry: str) -> str:
        """Return the name of the thing that a file of the folder holds."""
        return entry.removesuffix(_SUFFIX)

    def called(self, name: str) -> str:
        """Return a name as commit messages have it: one that stands alone is a target's."""
        return name if self.kind == "Target" else f"{self.kind.lower()} {name}"

    def names(self, source: Source) -> list[str]:
        """Return the names in the folder, sorted, without files of other kinds that somebody put there."""
        entries = source.list(self.name)
        return sorted([entry.removesuffix(_SUFFIX) for entry in entries if entry.endswith(_SUFFIX)])

    def versions(self, source: Source) -> dict[str, BlobId]:
        """Return the versions of all files in the folder, by name, sorted."""
        found = source.versions(self.name).items()
        return dict(sorted((self.name_of(entry), version) for entry, version in found if entry.endswith(_SUFFIX)))

    def expect(self, snapshot: Snapshot, name: str) -> BlobId:
        """Return the version of a file, which is not read for that; NotFound if there is none."""
        version = snapshot.version(self.path(name))
        if version is None:
            raise NotFound(self.kind, name)
        return version

    def version(self, snapshot: Snapshot) -> str:
        """Return the folder's tree id, which changes with the names and with the files."""
        return snapshot.folder_version(self.name)

    def check(self, transaction: Transaction, precondition: Precondition) -> None:
        """Raise PreconditionFailed where the folder's version, before the transaction's writes, is ruled out."""
        if precondition != UNCONDITIONAL:
            precondition.check(self.name, transaction.folder_version(self.name))

    def commit(self, transaction: Transaction, origin: Origin, text: str) -> CommitId:
        """Commit the transaction's writes, and return the commit's id.

        Raises Conflict where a new name differs from an existing one only in case.
        """
        try:
            return transaction.commit(text, origin.author)
        except NameTaken as error:
            taken, other = (name.removesuffix(_SUFFIX) for name in (error.name, error.existing))
            raise Conflict(taken, f"'{taken}' differs from the existing '{other}' only in case") from error

    def delete(
        self,
        repository: Repository,
        origin: Origin,
        name: str,
        precondition: Precondition,
        tidy: Callable[[Transaction, BlobId], None] | None = None,
    ) -> CommitId:
        """Remove a file, and return the commit's id; `tidy` removes what goes with the version of the file.

        Raises NotFound or PreconditionFailed.
        """

        def change(transaction: Transaction) -> CommitId:
            file = transaction.read(self.path(name))
            if file is None:
                raise NotFound(self.kind, name)
            precondition.check(name, file.id)
            transaction.remove(self.path(name))
            if tidy is not None:
                tidy(transaction, file.id)
            return self.commit(transaction, origin, messages.message(origin, f"Delete {self.called(name)}"))

        return repository.transact(change)

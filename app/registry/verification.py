"""Does a repository hold what Bakehouse writes, and nothing else? It is checked path by path.

All that this takes lies in the repository, so whoever has a clone can do it without a server.
"""

from collections.abc import Callable, Iterator, Mapping

from storage.clones import Clone
from storage.errors import RepositoryDamaged, StorageError, StorageUnavailable
from storage.snapshot import File, Snapshot

FOREIGN = "it is not written as Bakehouse writes it"
_README = "README.md"

Check = Callable[[str, File], Iterator[str]]  # of a file with its name in its folder: what is wrong with it


class Verification:
    """The check of one commit of a repository."""

    def __init__(
        self, clone: Clone, snapshot: Snapshot, files: Mapping[str, Check], folders: Mapping[str, Check]
    ) -> None:
        """Check `files`, by their paths, which must be there, and what is in `folders`, by their names."""
        self._clone = clone
        self._snapshot = snapshot
        self._files = {_README: self._check_readme, **files}
        self._folders = folders

    def paths(self) -> list[str]:
        """Return what there is to check: what must lie there, and then all that does, in git's order."""
        found = [*self._files]
        for entry in self._snapshot.list(""):
            inner = [f"{entry}/{name}" for name in self._snapshot.list(entry)]
            found += inner or [entry]
        return list(dict.fromkeys(found))

    def check(self, path: str) -> Iterator[str]:
        """Yield what is wrong with one of the paths, a line each."""
        try:
            for problem in self._check(path):
                yield f"{path}: {problem}"
        except (StorageError, OSError) as error:
            reason = reason_of(error)
            yield reason if path in reason else f"{path}: {reason}"

    def _check(self, path: str) -> Iterator[str]:
        file = self._snapshot.read(path)
        folder, _, name = path.rpartition("/")
        check = self._files.get(path) or self._folders.get(folder)
        if file is None:
            yield "it is missing, or no plain file"
        elif check is None:
            yield "Bakehouse puts nothing there"
        else:
            yield from check(name, file)

    def _check_readme(self, _: str, file: File) -> Iterator[str]:
        """Compare it with the first one: only that tells what the Bakehouse of that time wrote."""
        first = self._clone.root(self._snapshot.commit).read(_README)
        if first is None or first.id != file.id:
            yield "it is not what the first commit has"


def reason_of(error: StorageError | OSError) -> str:
    """Return what could not be read, and why, without the repository's name."""
    if isinstance(error, (RepositoryDamaged, StorageUnavailable)):
        return error.reason
    return (isinstance(error, OSError) and error.strerror) or str(error)


def wrong_name(entry: str, find_problem: Callable[[str], str | None]) -> str | None:
    """Return what is wrong with the name of a YAML file, or None; `find_problem` judges what it names."""
    name = entry.removesuffix(".yml")
    problem = "does not end in '.yml'" if name == entry else find_problem(name)
    return None if problem is None else f"its name {problem}"

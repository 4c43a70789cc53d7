"""The check that a repository holds what Bakehouse writes, and nothing else, path by path.

Everything that the check needs is in the repository, so it works on a clone, without a server.
"""

from collections.abc import Callable, Iterator, Mapping

from storage.clones import Clone
from storage.errors import LayoutUnknown, RepositoryDamaged, StorageError, StorageUnavailable
from storage.snapshot import File, Snapshot
from storage.transaction import AS_THEY_ARE, ATTRIBUTES

FOREIGN = "it is not written as Bakehouse writes it"
README = "README.md"

Check = Callable[[str, File], Iterator[str]]  # from a file, and its name in its folder, to its problems


class Note(str):
    """A finding that is no fault, such as the name of a prompt that is not there."""

    __slots__ = ()


class Verification:
    """The check of one commit of a repository."""

    def __init__(
        self, clone: Clone, snapshot: Snapshot, files: Mapping[str, Check], folders: Mapping[str, Check]
    ) -> None:
        """Take the checks of `files` that must exist, by path, and of all files in `folders`, by name."""
        self._clone = clone
        self._snapshot = snapshot
        self._files = {README: self._check_readme, **files}
        self._folders = folders

    def paths(self) -> list[str]:
        """Return the paths to check: files that must exist, and then all files there are, in git's order."""
        found = [*self._files]
        for entry in self._snapshot.list(""):
            found += self._below(entry)
        return list(dict.fromkeys(found))

    def _below(self, path: str) -> list[str]:
        """Return the paths in a folder, and in those folders in it that have a check; else the path alone."""
        paths: list[str] = []
        for inner in (f"{path}/{name}" for name in self._snapshot.list(path)):
            paths += self._below(inner) if inner in self._folders else [inner]
        return paths or [path]

    def check(self, path: str) -> Iterator[str]:
        """Yield the problems of one of the paths, a line each."""
        try:
            for problem in self._check(path):
                yield located(path, problem)
        except (StorageError, OSError) as error:
            reason = reason_of(error)
            yield reason if path in reason else f"{path}: {reason}"

    def _check(self, path: str) -> Iterator[str]:
        file = self._snapshot.read(path)
        folder, _, name = path.rpartition("/")
        check = self._files.get(path) or self._folders.get(folder)
        if path == ATTRIBUTES:  # repos of earlier versions get it with their next commit
            check = _check_attributes
        if file is None:
            yield "it is missing, or no plain file"
        elif check is None:
            yield "Bakehouse puts nothing there"
        else:
            yield from check(name, file)

    def _check_readme(self, _: str, file: File) -> Iterator[str]:
        """Compare README.md with the first commit's: later versions of Bakehouse write another text.

        The title is the repo's name, which a rename changes.
        """
        first = self._clone.root(self._snapshot.commit).read(README)
        if first is None or _below_title(first.data) != _below_title(file.data):
            yield "it is not what the first commit has"


def _below_title(readme: bytes) -> tuple[bool, bytes]:
    """Return whether a text has a title, and what comes below the title."""
    title, _, text = readme.partition(b"\n")
    return title.startswith(b"# "), text


def _check_attributes(_: str, file: File) -> Iterator[str]:
    if AS_THEY_ARE.strip() not in file.data.splitlines():  # somebody may have put other attributes beside it
        yield f"it has no line '{AS_THEY_ARE.decode().strip()}', so a clone may change line ends"


def located(place: str, finding: str) -> str:
    """Return a finding with its place in front; a note stays a note."""
    return type(finding)(f"{place}: {finding}")


def reason_of(error: StorageError | OSError) -> str:
    """Return the reason of an error, without the repository's name."""
    if isinstance(error, (LayoutUnknown, RepositoryDamaged, StorageUnavailable)):
        return error.reason
    return (isinstance(error, OSError) and error.strerror) or str(error)


def named(find_problem: Callable[[str], str | None], check: Check) -> Check:
    """Return a check of YAML files: first of the name without `.yml`, and then, given that name, `check`."""

    def check_named(entry: str, file: File) -> Iterator[str]:
        name = entry.removesuffix(".yml")
        problem = "does not end in '.yml'" if name == entry else find_problem(name)
        if problem:
            yield f"its name {problem}"
        else:
            yield from check(name, file)

    return check_named

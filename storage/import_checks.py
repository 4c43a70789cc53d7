"""What is wrong with a repository that was made of a bundle, found before anything reads its files.

A few kilobytes can hold a tree of millions of paths, or files of gigabytes. So sizes are asked first, which git
tells without unpacking; and then each different tree is read once, however often the history has it.
"""

from collections.abc import Collection, Iterator

from storage.git_log import LOG
from storage.ids import ObjectId, object_id
from storage.location import Location
from storage.machine import git_command
from storage.objects.database import ObjectDatabase
from storage.plumbing.refs import BRANCH, TAGS
from storage.plumbing.trees import FOLDER

_MOST_PATHS = 200_000  # of one commit
_LARGEST_TREE = 16 * 1024 * 1024  # bytes
_MOST_CHANGES = 256 * 1024 * 1024  # bytes of what git lists about the changes of all commits


def sizes(location: Location, largest: int, total: int) -> Iterator[str]:
    """Yield what is larger than allowed: a file or another object, or all objects together."""
    options = ("--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectsize) %(objectname)")
    size = 0
    for line in git_command.run(location, "cat-file", *options).splitlines():
        kind, digits, name = line.split()
        size += int(digits)
        most = _LARGEST_TREE if kind == "tree" else largest
        if int(digits) > most:
            yield f"{name}: this {kind} has {digits} bytes, and {most} are allowed"
    if size > total:
        yield f"its objects come to {size} bytes, and {total} are allowed"


def layout(location: Location, deeper: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the trees of all commits: a repository has files, and folders of files.

    Folders named in `deeper` have folders of files.
    """
    listed = git_command.run(location, "rev-list", "--no-commit-header", "--format=%T", BRANCH)
    database = ObjectDatabase(location)
    folders = _Folders(database)
    try:
        for root in dict.fromkeys(listed.split()):
            entries = database.tree(object_id(root))
            paths = len(entries.names())
            for name, folder in entries.files(FOLDER).items():
                found = folders.count(folder, 1 if name in deeper else 0)
                if found is None:
                    levels = "folders in its folders" if name in deeper else "a folder"
                    yield f"{name}/: it has {levels} in the tree {root}, and those have files only"
                paths += found or 0
            if paths > _MOST_PATHS:
                yield f"the tree {root} has {paths} files and folders, and {_MOST_PATHS} are allowed"
    finally:
        database.close()


class _Folders:
    """Folders of all commits. Each different one is read once."""

    def __init__(self, database: ObjectDatabase) -> None:
        self._database = database
        self._counts: dict[tuple[ObjectId, int], int | None] = {}

    def count(self, folder: ObjectId, levels: int) -> int | None:
        """Return how many files and folders there are in a folder; None if there are folders below `levels` levels."""
        key = (folder, levels)
        if key not in self._counts:
            self._counts[key] = self._count(folder, levels)
        return self._counts[key]

    def _count(self, folder: ObjectId, levels: int) -> int | None:
        entries = self._database.tree(folder)
        inner = entries.files(FOLDER).values()
        if not inner:
            return len(entries.names())
        counts = [self.count(each, levels - 1) if levels else None for each in inner]
        return None if None in counts else len(entries.names()) + sum(count or 0 for count in counts)


def changes(location: Location) -> Iterator[str]:
    """Yield whether all commits together change more files than anything could go through."""
    if git_command.run_up_to(location, _MOST_CHANGES, *LOG, BRANCH) is None:
        yield f"the list of the changes of its commits comes to over {_MOST_CHANGES} bytes"


def merges(location: Location) -> int:
    """Return how many commits of the branch have several parents: the history of a repository is one line."""
    return int(git_command.run(location, "rev-list", "--min-parents=2", "--count", BRANCH))


def tags_aside(location: Location) -> Iterator[str]:
    """Yield the tags that are on no commit of the branch."""
    line = set(git_command.run(location, "rev-list", "--first-parent", BRANCH).split())
    refs = git_command.run(location, "for-each-ref", "--format=%(refname)", TAGS).split()
    asked = "".join(f"{ref}^{{}}\n" for ref in refs)
    found = git_command.run(location, "cat-file", "--batch-check=%(objectname)", stdin=asked).split("\n")
    yield from (
        f"{ref}: it is on no commit of main" for ref, commit in zip(refs, found, strict=False) if commit not in line
    )

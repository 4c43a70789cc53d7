"""The check of labels: each is on a commit of the history, has a name of its own, and git sees its branch there."""

from collections.abc import Iterator, Set
from functools import cached_property

from app.registry import documents, label_files
from app.registry.verification.findings import FOREIGN
from storage.clones import BRANCH, HEADS, TAGS, Clone
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import File, Snapshot


class LabelChecks:
    """The checks of the files of labels."""

    def __init__(self, clone: Clone, snapshot: Snapshot) -> None:
        self._clone = clone
        self._snapshot = snapshot

    def check(self, name: str, file: File) -> Iterator[str]:
        """Yield the problems of a label."""
        label = label_files.parse(self._snapshot, name, file)
        if label.commit not in self._history:
            yield f"its commit {label.commit} is not in the history"
        if name.lower() in self._tags:
            yield "a tag has this name, too, and is what `ref` means"
        in_order = None if label.protected is None else sorted(set(label.protected))
        if label.protected != in_order or not documents.is_written(label.document(), file.data):
            yield FOREIGN

    @cached_property
    def _history(self) -> Set[CommitId]:
        return self._clone.line(self._snapshot.commit)

    @cached_property
    def _tags(self) -> Set[str]:
        return {name.lower() for name in self._clone.refs(TAGS)}


def misplaced(clone: Clone, repository: Repository) -> Iterator[str]:
    """Yield the findings in the branches of a server's repository that stand for labels.

    A server may move a label meanwhile. So a branch counts only if it is misplaced at a second look, too.
    """
    seen = {*_misplaced(clone, repository)}
    yield from (finding for finding in _misplaced(clone, repository) if finding in seen)


def _misplaced(clone: Clone, repository: Repository) -> Iterator[str]:
    branches = clone.refs(HEADS)
    for name, commit in repository.branches.of(clone.head(BRANCH)):
        found = branches.get(name)
        if found != commit:
            where = f"it is at {found}" if found else "there is no such branch"
            yield f"{HEADS}/{name}: {where}, and its label is at {commit}; `bakehouse maintain` puts it there"

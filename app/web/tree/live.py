"""Which labels and tags show a target: those at whose commit its file is there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.registry import labels
from app.registry.configs.target_files import FOLDER
from app.registry.label_files import Label
from storage.errors import RevisionNotFound
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.tags import Tag

_MOST_COMMITS = 20  # the folder of each is read: 10 ms where it has 10,000 targets


@dataclass(frozen=True, slots=True)
class Holder:
    """A label or tag at whose commit a target is there, and whether the target is the `same` there."""

    kind: str
    name: str
    same: bool


@dataclass(frozen=True, slots=True)
class Live:
    """The labels, and then the tags, that show each target; and how many labels and tags were not looked at."""

    holders: Mapping[str, Sequence[Holder]]
    left_out: int


def find(repository: Repository, snapshot: Snapshot, names: Iterable[str]) -> Live:
    """Return which labels and tags show some targets. The latest tags are looked at."""
    tags = sorted(repository.tags(), key=_moment, reverse=True)
    named: Sequence[Label | Tag] = [*(label for label in labels.get_all(snapshot).values() if label is not None), *tags]
    commits = list(dict.fromkeys(each.commit for each in named))[:_MOST_COMMITS]
    at = {commit: found for commit in commits if (found := _open(repository, commit)) is not None}
    paths = {name: FOLDER.path(name) for name in names}
    now = {name: snapshot.version(path) for name, path in paths.items()}
    holders = defaultdict(list)
    for each in named:
        if (then := at.get(each.commit)) is not None:
            kind = "label" if isinstance(each, Label) else "tag"
            for name, path in paths.items():
                if (version := then.version(path)) is not None:
                    holders[name].append(Holder(kind, each.name, version == now[name]))
    return Live(holders, sum(each.commit not in commits for each in named))


def _moment(tag: Tag) -> tuple[int, str]:
    return (0 if tag.signature is None else tag.signature.moment, tag.name)


def _open(repository: Repository, commit: CommitId) -> Snapshot | None:
    with suppress(RevisionNotFound):  # somebody wrote by hand that a label is on it
        return repository.at(commit)
    return None

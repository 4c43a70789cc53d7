"""Which commit a revision means: a tag, an id, the start of an id, or a moment."""

import re
from collections.abc import Set
from datetime import datetime

from storage import moments
from storage.ancestry import Ancestry
from storage.errors import RevisionAmbiguous, RevisionNotFound
from storage.ids import CommitId
from storage.location import Location
from storage.plumbing.refs import MAIN
from storage.tags import Tag, Tags

_WHOLE_ID = re.compile(r"[0-9a-f]{40}")
_FEW = 16  # commits; to look for each is quicker than to look at the whole history
_ABBREVIATION = re.compile(r"[0-9a-f]{4,40}")


class Revisions:
    """Finds the commits of a repository. Threads may share one."""

    def __init__(self, location: Location, ancestry: Ancestry, tags: Tags) -> None:
        self._location = location
        self._name = location.name
        self._ancestry = ancestry
        self._tags = tags

    def find(self, revision: str) -> CommitId:
        """Return the commit that a tag, an id or the start of an id means, as `Repository.find` has it."""
        tip = self._catch_up()
        if revision in (MAIN, "HEAD"):
            return tip
        if not _WHOLE_ID.fullmatch(revision):
            tag = self.tag(revision)
            if tag is not None:
                return tag.commit
        digits = revision.lower()
        found = self._ancestry.starting_with(digits) if _ABBREVIATION.fullmatch(digits) else []
        if not found:
            raise RevisionNotFound(self._name, revision, "no tag or commit of its history is called so")
        if len(found) > 1:
            raise RevisionAmbiguous(self._name, revision, len(found))
        return found[0]

    def find_at(self, moment: datetime) -> CommitId:
        """Return the commit that was the tip at a moment; RevisionNotFound before the first commit."""
        self._catch_up()
        count = self._ancestry.count_until(moments.of(moment))
        if not count:
            began = moments.at(self._ancestry.moment_at(0)).isoformat()
            is_second = moment.microsecond == moments.SECOND - 1  # the end of a second stands for the second
            asked = moment.isoformat(timespec="seconds" if is_second else "auto")
            raise RevisionNotFound(self._name, asked, f"it began at {began}")
        return self._ancestry.id_at(count - 1)

    def tag(self, name: str) -> Tag | None:
        """Return a tag, or None if no commit of the history has a tag of that name."""
        with self._location.explained():
            tag = self._tags.read(name)
        return tag if tag and self.has(tag.commit) else None

    def position(self, commit: CommitId) -> int:
        """Return the position of a commit; RevisionNotFound if it is not in the history."""
        if not self.has(commit):
            raise RevisionNotFound(self._name, commit, "no branch leads there")
        position = self._ancestry.position(commit)
        assert position is not None
        return position

    def newest(self, start: CommitId, before: CommitId | None) -> int:
        """Return the position of a commit, or of the one before `before` where that is older; -1 if there is none."""
        position = self.position(start)
        return position if before is None else min(position, self.position(before) - 1)

    def has(self, commit: CommitId) -> bool:
        """Tell whether a commit is in the history."""
        if self._ancestry.position(commit) is None:
            self._catch_up()
        return self._ancestry.position(commit) is not None

    def among(self, commits: Set[CommitId]) -> Set[CommitId]:
        """Return those of some commits that are in the history."""
        if len(commits) <= _FEW:
            return {commit for commit in commits if self.has(commit)}
        if self._ancestry.among(commits) != commits:
            self._catch_up()
        return self._ancestry.among(commits)

    def _catch_up(self) -> CommitId:
        with self._location.explained():
            return self._ancestry.catch_up()

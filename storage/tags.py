"""Tags: names for commits, which stay. A new tag is a record of the journal, and later a ref of git's."""

import re
import time
from dataclasses import dataclass

from storage.branches import Branches
from storage.caches import Cache
from storage.errors import NameTaken, RepositoryDamaged, TagExists, TipMoved
from storage.ids import CommitId, ObjectId, object_id
from storage.journal.records import TagRecord
from storage.journal.tip import Tip
from storage.objects.database import ObjectDatabase
from storage.objects.pending import PendingObjects
from storage.plumbing.commits import TagHeader, serialize_tag
from storage.plumbing.object import GitObject
from storage.plumbing.packed_refs import PackedRef
from storage.plumbing.refs import TAGS, Refs
from storage.signatures import Person, Signature
from storage.snapshot import Snapshot

# Names that are safe as a file's name, and that git accepts: `v1.lock` would be its lock on `v1`. Callers allow
# fewer names.
_NAME = re.compile(r"(?!.*\.(?:\.|lock\Z|\Z))[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_CACHE_SIZE = 4 * 1024 * 1024  # bytes
_MOST_STEPS = 5  # from tag to tag


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag on a commit. `signature` is None for a tag that git made without a message."""

    name: str
    commit: CommitId
    signature: Signature | None


class Tags:
    """The tags of one repository. Threads may share one.

    A tag that cannot be read raises RepositoryDamaged: it must not look like a tag that does not exist.
    """

    def __init__(self, refs: Refs, objects: ObjectDatabase, tip: Tip, branches: Branches) -> None:
        self._refs = refs
        self._objects = objects
        self._tip = tip
        self._branches = branches
        # By the name of a ref and the object that it names.
        self._known: Cache[tuple[str, str], Tag] = Cache(_CACHE_SIZE)

    def read(self, name: str) -> Tag | None:
        """Return a tag, or None if there is none of that name on a commit."""
        if not _NAME.fullmatch(name):
            return None
        pending = self._tip.pending_tags().get(name)  # before the refs, which have it after a checkpoint
        named = pending.hex() if pending else self._refs.read(f"{TAGS}/{name}")
        return None if named is None else self._tag(name, named)

    def _tag(self, name: str, named: str) -> Tag | None:
        tag = self._known.get((name, named))
        if tag is not None:
            return tag
        try:
            tag = self._read_object(name, named)
        except RepositoryDamaged as error:
            raise RepositoryDamaged(error.name, f"its tag '{name}' cannot be read: {error.reason}") from error
        if tag is not None:
            self._known.put((name, named), tag, len(tag.signature.message) if tag.signature else 0)
        return tag

    def all(self) -> list[Tag]:
        """Return the tags on commits, by name."""
        names = self._names()
        packed = self._refs.packed()
        unknown = [named for name, named in names.items() if self._known.get((name, named)) is None]
        peeled = [ref.peeled for ref in packed.values() if ref.peeled] if unknown else []
        self._objects.load_ahead(ObjectId(bytes.fromhex(digits)) for digits in (*unknown, *peeled))
        found = []
        for name, named in sorted(names.items()):
            tag = self._tag(name, named) if _NAME.fullmatch(name) else None
            if tag is not None:
                self._check_peeled(tag, packed.get(f"{TAGS}/{name}"), named)
                found.append(tag)
        for ref, other in packed.items():  # a ref with an odd name may be a tag of ours that was renamed
            if other.peeled is not None and not _NAME.fullmatch(ref.removeprefix(f"{TAGS}/")):
                self._read_object(ref, other.id)
        return found

    def _names(self) -> dict[str, str]:
        """Return the object that each tag names, by name: those that only the journal has, and git's refs."""
        pending = {name: named.hex() for name, named in self._tip.pending_tags().items()}
        return self._refs.all(TAGS) | pending

    def _alike(self, name: str) -> str | None:
        """Return the tag of a name, or else one whose name differs only in case, or None."""
        pending = {other.lower(): other for other in self._tip.pending_tags()}
        found = self._refs.alike(f"{TAGS}/{name}")
        return pending.get(name.lower()) or (found and found.removeprefix(f"{TAGS}/"))

    def refuse(self, name: str) -> None:
        """Raise TagExists where there is a tag of a name, NameTaken where there is one that differs only in case."""
        other = self._alike(name)
        if other == name:
            raise TagExists(self._objects.name, name)
        if other is not None:  # a clone could not hold both on every disk
            raise NameTaken(name, other)

    def create(self, name: str, commit: CommitId, tagger: Person, message: str, reason: str | None = None) -> Tag:
        """Put an annotated tag on a commit, durably.

        Raises TagExists if there is a tag of that name, NameTaken if there is one that differs only in case, and
        BranchExists if a file stands for a branch of that name.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a tag")
        try:
            return self._create(name, commit, tagger, message, reason)
        except TipMoved:  # by an operator's git: once more, on top of that
            return self._create(name, commit, tagger, message, reason)

    def _create(self, name: str, commit: CommitId, tagger: Person, message: str, reason: str | None) -> Tag:
        with self._tip.lock() as locked:
            self.refuse(name)
            below = self._refs.below(f"{TAGS}/{name}")
            if below is not None:
                raise TagExists(self._objects.name, below.removeprefix(f"{TAGS}/"))
            self._branches.refuse_tag(name, Snapshot(self._objects, locked.commit))
            data = serialize_tag(name, commit, tagger, int(time.time()), message, reason)
            new = PendingObjects()
            record = TagRecord(name, new.add(GitObject.of("tag", data)))
            self._tip.append(locked, [record], new)
        return Tag(name, commit, Signature.parse(data))

    def _read_object(self, name: str, named: str) -> Tag | None:
        """Return the tag that a ref of some name makes of an object; None where the tag is on no commit."""
        signature, own_name = None, None
        for _ in range(_MOST_STEPS):
            type_, data = self._objects.read(object_id(named))
            if type_ != "tag":
                self._check_name(name, own_name)
                return Tag(name, CommitId(named), signature) if type_ == "commit" else None
            try:
                header = TagHeader.parse(data)
            except ValueError as error:
                raise RepositoryDamaged(self._objects.name, f"the object {named} is {error}") from error
            if own_name is None:
                own_name, signature = header.name, header.signature
            named = header.object
        raise RepositoryDamaged(self._objects.name, "it leads through too many others")

    def _exists(self, name: str) -> bool:
        return name in self._tip.pending_tags() or self._refs.exists(f"{TAGS}/{name}")

    def _check_name(self, name: str, own_name: str | None) -> None:
        """Raise RepositoryDamaged where a ref leads to a tag object of another name, and no tag has that name.

        `git tag new old` makes one more ref to the object of `old`. But if `old` is missing, its ref was renamed,
        and tags must stay.
        """
        if own_name not in (None, name) and not self._exists(str(own_name)):
            raise RepositoryDamaged(self._objects.name, f"it is the tag '{own_name}', which is missing")

    def _check_peeled(self, tag: Tag, packed: PackedRef | None, named: str) -> None:
        """Raise RepositoryDamaged where `packed-refs` says that a tag is on another commit: git believes it."""
        if packed and packed.id == named and packed.peeled not in (None, tag.commit):
            reason = f"its packed-refs has the tag '{tag.name}' on {packed.peeled}"
            raise RepositoryDamaged(self._objects.name, reason)

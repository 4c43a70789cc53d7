"""Tags: names for commits that stay. Each is a tag object and a ref to it, flushed before it is answered."""

import re
import time
from dataclasses import dataclass

from storage.caches import Cache
from storage.errors import NameTaken, RepositoryDamaged, TagExists
from storage.machine import disk
from storage.objects.database import ObjectDatabase
from storage.plumbing.commits import TagHeader, serialize_tag
from storage.plumbing.refs import PackedRef, Refs
from storage.signatures import Person, Signature

FOLDER = "refs/tags"
# What may name a file here, leads nowhere else, and git takes too: `v1.lock` is its lock on `v1`.
# What may name a tag is for the caller to narrow.
_NAME = re.compile(r"(?!.*\.(?:\.|lock\Z|\Z))[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_KEPT = 4 * 1024 * 1024  # bytes, of tags that were read
_MOST_STEPS = 5  # from tag to tag


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag on a commit (40 hex digits). `signature` is None for one that git made without a message."""

    name: str
    commit: str
    signature: Signature | None


class Tags:
    """The tags of one repository. Threads may share one.

    A tag that is there and cannot be read raises RepositoryDamaged: it must not look like one that is not.
    """

    def __init__(self, refs: Refs, objects: ObjectDatabase) -> None:
        self._refs = refs
        self._objects = objects
        # What a ref of some name to some object comes to, as long as no other tag is removed by hand.
        self._known: Cache[tuple[str, str], Tag] = Cache(_KEPT)

    def read(self, name: str) -> Tag | None:
        """Return a tag, or None if there is none of that name on a commit."""
        named = self._refs.read(f"{FOLDER}/{name}") if _NAME.fullmatch(name) else None
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
        packed = self._refs.packed()
        found = []
        for name, named in sorted(self._refs.all(FOLDER).items()):
            tag = self._tag(name, named) if _NAME.fullmatch(name) else None
            if tag is not None:
                self._check_peeled(tag, packed.get(f"{FOLDER}/{name}"), named)
                found.append(tag)
        for ref, other in packed.items():  # it may be a tag of ours whose ref was renamed
            if other.peeled is not None and not _NAME.fullmatch(ref.removeprefix(f"{FOLDER}/")):
                self._read_object(ref, other.id)
        return found

    def create(self, name: str, commit: str, tagger: Person, message: str) -> Tag:
        """Put an annotated tag on a commit, durably; TagExists if there is one of that name.

        NameTaken if there is one that differs only in case. The caller holds the repository.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a tag")
        for other in self._refs.all(FOLDER):
            if other == name:
                raise TagExists(self._objects.name, name)
            if other.lower() == name.lower():  # a clone could not hold both on every disk
                raise NameTaken(name, other)
        data = serialize_tag(name, commit, tagger, int(time.time()), message)
        folder = self._refs.git_folder / FOLDER
        folder.mkdir(exist_ok=True)
        with self._objects.write("tag", data) as tag_id:
            try:
                disk.put_file(folder / name, f"{tag_id.hex()}\n".encode(), self._refs.git_folder / "tmp_tag")
                disk.sync(folder.parent)
            except OSError:
                (folder / name).unlink(missing_ok=True)
                raise
        return Tag(name, commit, Signature.parse(data))

    def _read_object(self, name: str, object_id: str) -> Tag | None:
        """Return the tag that a ref of some name to an object is; None where that is on no commit."""
        signature, own_name = None, None
        for _ in range(_MOST_STEPS):
            type_, data = self._objects.read_any(bytes.fromhex(object_id))
            if type_ != "tag":
                self._check_name(name, own_name)
                return Tag(name, object_id, signature) if type_ == "commit" else None
            try:
                header = TagHeader.parse(data)
            except ValueError as error:
                raise RepositoryDamaged(self._objects.name, f"the object {object_id} is {error}") from error
            if own_name is None:
                own_name, signature = header.name, header.signature
            object_id = header.object
        raise RepositoryDamaged(self._objects.name, "it leads through too many others")

    def _check_name(self, name: str, own_name: str | None) -> None:
        """Raise RepositoryDamaged where a ref leads to the tag of another name, and that one is missing.

        A tag's object tells its name. `git tag new old` makes one more ref to it; where the old one is
        missing, the ref was renamed, and tags stay.
        """
        if own_name not in (None, name) and not self._refs.exists(f"{FOLDER}/{own_name}"):
            raise RepositoryDamaged(self._objects.name, f"it is the tag '{own_name}', which is missing")

    def _check_peeled(self, tag: Tag, packed: PackedRef | None, named: str) -> None:
        """Raise RepositoryDamaged where `packed-refs`, which git believes, has a tag on another commit."""
        if packed and packed.id == named and packed.peeled not in (None, tag.commit):
            reason = f"its packed-refs has the tag '{tag.name}' on {packed.peeled}"
            raise RepositoryDamaged(self._objects.name, reason)

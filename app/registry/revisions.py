"""Which commit a ref means: a tag, a label, an id or a time; and tags, which name a commit for good."""

from datetime import datetime

from app.domain.errors import NotFound
from app.domain.names import label_name_problem, refuse_unportable
from app.registry import label_files
from app.registry.messages import Origin
from storage.errors import RevisionNotFound, TagExists
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.tags import Tag

# A tag, a label, the id of a commit or its first digits, or a time: the commit that was the tip then.
Ref = str | datetime


def at(repository: Repository, ref: Ref | None) -> Snapshot:
    """Return the snapshot of a repo at a ref, or at the tip. Labels are where they are at the tip.

    Raises RevisionNotFound where the ref means no commit of the history, RevisionAmbiguous where it
    could mean several.
    """
    if ref is None:
        return repository.head()
    return repository.at(repository.find_at(ref) if isinstance(ref, datetime) else _find(repository, ref))


def _find(repository: Repository, ref: str) -> CommitId:
    """Return the commit that a tag, a label, an id or the start of an id means.

    No tag and label have the same name, unless somebody made one of them by hand. The tag counts then, as for git.
    """
    label = None if label_name_problem(ref) else label_files.read(repository.head(), ref)
    if label is None:
        try:
            return repository.find(ref)
        except RevisionNotFound as error:
            reason = "no tag, label or commit of its history is called so"
            raise RevisionNotFound(error.repository, ref, reason) from error
    tag = repository.tag(ref)
    return label.commit if tag is None else tag.commit


def get_tag(repository: Repository, name: str) -> Tag:
    """Return a tag; NotFound if there is none."""
    tag = repository.tag(name)
    if tag is None:
        raise NotFound("Tag", name)
    return tag


def create_tag(
    repository: Repository, origin: Origin, name: str, ref: Ref | None, message: str | None
) -> tuple[Tag, bool]:
    """Put a tag on a commit, for good, or return the one that is there with this message; True where it is new.

    The message is the tag's name where none is given. Raises TagExists where the tag is another one,
    NameTaken, and what `at` raises.
    """
    text = message or name
    text = text if text.endswith("\n") else f"{text}\n"
    commit = at(repository, ref).commit
    if repository.tag(name) is None:
        refuse_unportable("name", name)
    try:
        return repository.create_tag(name, commit, origin.author, text, origin.reason), True
    except TagExists:
        tag = repository.tag(name)
        if tag is None or tag.signature is None or (tag.commit, tag.signature.message) != (commit, text):
            raise
        return tag, False

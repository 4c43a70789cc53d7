"""Which commit a ref means, and tags, which name a commit for good."""

from datetime import datetime

from app.domain.errors import NotFound
from app.registry.messages import Origin
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.tags import Tag

# A tag, the id of a commit or its first digits, or a time: the commit that was the tip then.
Ref = str | datetime


def at(repository: Repository, ref: Ref | None) -> Snapshot:
    """Return the snapshot of a repo at a ref, or at the tip.

    Raises RevisionNotFound where the ref means no commit of the history, RevisionAmbiguous where it
    could mean several.
    """
    if ref is None:
        return repository.head()
    commit = repository.find_at(ref) if isinstance(ref, datetime) else repository.find(ref)
    return repository.at(commit)


def get_tag(repository: Repository, name: str) -> Tag:
    """Return a tag; NotFound if there is none."""
    tag = repository.tag(name)
    if tag is None:
        raise NotFound("Tag", name)
    return tag


def create_tag(repository: Repository, origin: Origin, name: str, ref: Ref | None, message: str | None) -> Tag:
    """Put a tag on a commit, for good. The message is the tag's name where none is given.

    Raises TagExists or NameTaken, and what `at` raises.
    """
    text = message or name
    commit = at(repository, ref).commit
    return repository.create_tag(name, commit, origin.author, text if text.endswith("\n") else f"{text}\n")

"""Which commit a request means, and the tags that name some of them for good."""

from datetime import datetime

from app.domain.errors import NotFound
from app.registry.messages import Origin
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.tags import Tag

# A tag, the id of a commit or the start of one, or a moment: then what was the tip is meant.
Ref = str | datetime


def at(repository: Repository, ref: Ref | None) -> Snapshot:
    """Return what lay in a repo at a ref, or lies there now.

    Raises RevisionNotFound or RevisionAmbiguous where the ref means no commit of its history, or
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


def create_tag(
    repository: Repository, origin: Origin, name: str, ref: Ref | None, message: str | None
) -> Tag:
    """Put a tag on a commit, for good; without a message it says its name.

    Raises TagExists or NameTaken, and what `at` raises.
    """
    text = message or name
    commit = at(repository, ref).commit
    return repository.create_tag(name, commit, origin.author, text if text.endswith("\n") else f"{text}\n")

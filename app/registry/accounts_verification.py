"""The check of the accounts: users' files as Bakehouse writes them, and no other files."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from app.domain.names import user_id_problem
from app.registry import documents, user_files
from app.registry.user_files import FOLDER, User
from app.registry.verification import FOREIGN, Verification, wrong_name
from storage.clones import Clone
from storage.snapshot import File, Snapshot


def of_accounts(clone: Clone, snapshot: Snapshot) -> Verification:
    """Return the check of the users of a server."""
    return Verification(clone, snapshot, {}, {FOLDER.name: partial(_check_user, snapshot)})


def _check_user(snapshot: Snapshot, entry: str, file: File) -> Iterator[str]:
    wrong = wrong_name(entry, user_id_problem)
    if wrong:
        yield wrong
        return
    user = user_files.read(snapshot, entry.removesuffix(".yml"))
    found = documents.parse(snapshot, FOLDER.path(user.id), file.data)
    if documents.dump(_as_written(user, found)) != file.data:
        yield FOREIGN


def _as_written(user: User, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a user's document with only those token fields that the file has: older versions wrote fewer."""
    document = user.document()
    pairs = zip(document["tokens"], found["tokens"], strict=True)
    tokens = [{field: token[field] for field in token if field in old} for token, old in pairs]
    return {**document, "tokens": tokens}

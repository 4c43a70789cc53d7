"""The check of the accounts: users' files as Bakehouse writes them, and no other files."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from app.domain.names import user_id_problem
from app.registry import documents
from app.registry.users import life_files, share_files, user_files
from app.registry.users.user_files import FOLDER, User
from app.registry.verification.findings import FOREIGN, Check, Verification, named
from storage.clones import Clone
from storage.snapshot import File, Snapshot


def of_accounts(clone: Clone, snapshot: Snapshot) -> Verification:
    """Return the check of the users of a server."""
    check = named(user_id_problem, partial(_check_user, snapshot))
    checks = {FOLDER.name: check, share_files.FOLDER.name: _check_shares(snapshot)}
    traces = {folder.name: partial(_check_written, snapshot, folder.name) for folder in life_files.FOLDERS}
    return Verification(clone, snapshot, {}, checks | traces)


def _check_written(snapshot: Snapshot, folder: str, entry: str, file: File) -> Iterator[str]:
    if not documents.is_written(documents.parse(snapshot, f"{folder}/{entry}", file), file.data):
        yield FOREIGN


def _check_shares(snapshot: Snapshot) -> Check:
    def check_list(user_id: str, file: File) -> Iterator[str]:
        path = share_files.FOLDER.path(user_id)
        found = documents.parse(snapshot, path, file)
        listed = documents.expect(found, "repos", list, snapshot, path)
        if documents.dump({"repos": sorted(set(map(str, listed)))}) != file.data:
            yield FOREIGN

    check_named = named(user_id_problem, check_list)

    def check(entry: str, file: File) -> Iterator[str]:
        is_note = f"{share_files.FOLDER.name}/{entry}" == share_files.PATH_OF_NOTE
        return iter(()) if is_note else check_named(entry, file)

    return check


def _check_user(snapshot: Snapshot, user_id: str, file: File) -> Iterator[str]:
    user = user_files.read(snapshot, user_id)
    found = documents.parse(snapshot, FOLDER.path(user.id), file)
    if not documents.is_written(_as_written(user, found), file.data):
        yield FOREIGN
    if user.is_removed and user.tokens:
        yield "the user was removed and has tokens, which let nobody in"


def _as_written(user: User, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a user's document with only those token fields that the file has: older versions wrote fewer."""
    document = user.document()
    pairs = zip(document["tokens"], found["tokens"], strict=True)
    tokens = [{field: token[field] for field in token if field in old} for token, old in pairs]
    return {**document, "tokens": tokens}

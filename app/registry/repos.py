"""Repos: the named repositories of users, and the first files of a new one."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from app.domain.errors import Conflict, NotFound
from app.domain.names import name_problem, refuse_unportable, user_id_problem
from app.registry import documents, messages
from app.registry.configs import defaults
from app.registry.documents import Source
from app.registry.messages import Origin
from storage.caches import Cache
from storage.errors import (
    LayoutUnknown,
    RepositoryDamaged,
    RepositoryExists,
    RepositoryNotFound,
    StorageUnavailable,
)
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from storage.store import Store
from storage.transaction import Transaction

DEFAULT_BASE_MODEL = "Qwen/Qwen3-32B"
LAYOUT_VERSION = 1

_known_layouts: Cache[BlobId, bool] = Cache(1024 * 1024)  # the versions of `repo.yml` that were looked at

PATH = "repo.yml"
README = """\
# {name}

Target configurations, written by Bakehouse: one commit a change. Look, do not push.

- `targets/<name>.yml`: a target. `config` is the result; it is `config` of the template, at the
  version `template_version` (`git show <id>` prints it), with `overrides` merged in (RFC 7396).
- `defaults/target.yml`: the template called `default`.
- `prompts/<name>.yml`: a prompt, which is a named list of messages.
- `templates/<file>`: question templates that came with a target, whose `files` tells their blob ids.
- `labels/<name>.yml`: a label, which names a commit and moves; git has a branch of its name.
- `runs/<target>/<kind>-<key>.yml`: the manifest of a run: what went in, at which commit, and the SHA-256
  of its rows. `bakehouse verify --rows` finds the run that a file of rows is from.
- `.gitattributes`: has git leave line ends as they are.
- `repo.yml`: the base model, whom the repo is shared with, and the version of this layout.

`git log -p -- targets/<name>.yml` tells who changed what, when, and from which template; `git tag -n`
which commits have a name that stays. `bakehouse verify` in a clone resolves every target anew.
"""


@dataclass(frozen=True, slots=True)
class Repo:
    """A repo at a commit; `base_model` is None where its `repo.yml` cannot be read."""

    owner: str
    name: str
    base_model: str | None
    commit: CommitId = documents.UNCOMMITTED


def open_repository(store: Store, owner: str, name: str) -> Repository:
    """Return the git repository of a user's repo; NotFound if there is none, or a name is invalid."""
    if user_id_problem(owner) or name_problem(name):
        raise NotFound("Repo", name)
    try:
        return store.open(f"{owner}/{name}")
    except RepositoryNotFound as error:
        raise NotFound("Repo", name) from error


def create(
    store: Store, owner: str, name: str, base_model: str | None, origin: Origin, before: Callable[[], None]
) -> tuple[Repo, bool]:
    """Create a repo, or return the existing one; True where it is new.

    `before` is called before a new one is there, while nobody can make or move a repo beside it.
    Where `base_model` is None, a new repo gets the default, and an existing one may have any. Raises
    Conflict where the existing repo has another base model, NameTaken where a name differs only in case.
    """
    new = Repo(owner, name, DEFAULT_BASE_MODEL if base_model is None else base_model)

    def write(transaction: Transaction) -> None:
        _write_new(transaction, new, origin)
        before()

    try:
        made = store.create(f"{owner}/{name}", write)
    except RepositoryExists:
        existing = get(store, owner, name)
        if base_model not in (None, existing.base_model):
            raise Conflict(name, f"Repo '{name}' already exists with base model '{existing.base_model}'") from None
        return existing, False
    return replace(new, commit=made.head().commit), True


def get(store: Store, owner: str, name: str) -> Repo:
    """Return a user's repo; NotFound if there is none."""
    return describe(open_repository(store, owner, name).head(), owner)


def describe(snapshot: Snapshot, owner: str) -> Repo:
    """Return a user's repo at a commit."""
    base_model = documents.expect(read(snapshot), "base_model", str, snapshot, PATH)
    return Repo(owner, snapshot.name, base_model, snapshot.commit)


def read(source: Source) -> Mapping[str, Any]:
    """Return the content of `repo.yml`."""
    found = documents.read(source, PATH)
    if found is None:
        raise RepositoryDamaged(source.name, f"{PATH} is missing")
    return found[0]


def check_layout(snapshot: Snapshot) -> None:
    """Raise LayoutUnknown where the layout of a repository is one that this version does not know.

    A repository without `repo.yml`, such as the accounts, has the first layout. Damage is left to those who
    read the file.
    """
    version = snapshot.version(PATH)
    if version is None or _known_layouts.get(version):
        return
    with suppress(RepositoryDamaged):
        found = read(snapshot).get("layout", LAYOUT_VERSION)
        if found != LAYOUT_VERSION:
            raise LayoutUnknown(snapshot.name, PATH, found, LAYOUT_VERSION)
        _known_layouts.put(version, True, len(version))


def list_names(store: Store, owner: str) -> Sequence[str]:
    """Return the sorted names of a user's repos, without other folders that somebody put beside them."""
    return store.list(owner, lambda name: name_problem(name) is None)


def describe_all(store: Store, owner: str, names: Sequence[str]) -> list[Repo]:
    """Return repos by name. The base model of a damaged one is None, so that the others are still listed."""
    repos = []
    for name in names:
        try:
            repos.append(get(store, owner, name))
        except (LayoutUnknown, RepositoryDamaged, StorageUnavailable):
            repos.append(Repo(owner, name, None))
    return repos


def _write_new(transaction: Transaction, repo: Repo, origin: Origin) -> None:
    refuse_unportable("repo_name", f"{repo.name}.git")
    transaction.write("README.md", README.format(name=repo.name).encode())
    documents.write(transaction, PATH, {"base_model": repo.base_model, "layout": LAYOUT_VERSION})
    defaults.write(transaction, defaults.first_config(repo.base_model))
    lines = messages.changed_fields({}, {"base_model": repo.base_model})
    transaction.commit(messages.message(origin, f"Create repo {repo.name}", lines), origin.author)

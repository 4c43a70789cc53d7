"""The API for one clone, in this process: the views, the schemas and the errors are those of the server."""

from pathlib import Path

import httpx2

from app import assemble
from app.cli.audit.client import Client
from app.registry.users.accounts import Accounts
from app.registry.users.user_files import User
from app.settings import Settings
from app.wire.context import Services
from storage.errors import RepositoryNotFound
from storage.maintenance import Maintenance
from storage.repository import Repository
from storage.store import Store

_KEY = "clone"  # a key for nobody: no socket listens


class _NoUsers(Accounts):
    """The users that a clone knows: none. Its commits name their authors."""

    def __init__(self) -> None:
        """Keep nothing."""

    def find(self, _: str) -> User | None:
        """Return no user."""
        return None


class _OneRepo(Store):
    """A store that has one repository, open already."""

    def __init__(self, path: Path, name: str, repository: Repository) -> None:
        super().__init__(path, Maintenance(None))
        self._name, self._repository = name, repository

    def open(self, name: str) -> Repository:
        """Return the repository; RepositoryNotFound for every other name."""
        if name != self._name:
            raise RepositoryNotFound(name)
        return self._repository


def connect(repository: Repository, owner: str, name: str) -> Client:
    """Return a client whose requests are answered from a clone, as a server answers them for `owner`."""
    settings = Settings(repository.path, master_key=_KEY)
    store = _OneRepo(repository.path, f"{owner}/{name}", repository)
    app = assemble(Services(settings, _KEY, _NoUsers(), store, deleted=store, rates=None))
    headers = {"Authorization": f"Bearer {_KEY}", "X-User-Id": owner}
    http = httpx2.Client(transport=httpx2.WSGITransport(app), base_url="http://clone", headers=headers)
    return Client(http, name, is_clone=True)

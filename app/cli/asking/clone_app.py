"""The API for one clone, in this process: the views, the schemas and the errors are those of the server."""

from pathlib import Path

import httpx2

from app import assemble
from app.cli.asking.client import Client
from app.registry.messages import Origin
from app.registry.users.accounts import REPOSITORY, Accounts
from app.runs.services import Runs
from app.settings import Settings
from app.wire.context import Services
from storage.errors import RepositoryNotFound
from storage.maintenance import Maintenance
from storage.repository import Repository
from storage.store import Store

_KEY = "clone"  # a key for nobody: no socket listens


class _OneRepo(Store):
    """A store that has one repository, open already. It stands for the accounts, too: it has no users."""

    def __init__(self, path: Path, name: str, repository: Repository) -> None:
        super().__init__(path, Maintenance(None))
        self._name, self._repository = name, repository

    def open(self, name: str) -> Repository:
        """Return the repository; RepositoryNotFound for every other name."""
        if name not in (self._name, REPOSITORY):
            raise RepositoryNotFound(name)
        return self._repository


def connect(repository: Repository, owner: str, name: str) -> Client:
    """Return a client whose requests are answered from a clone, as a server answers them for `owner`."""
    settings = Settings(repository.path, master_key=_KEY)
    store = _OneRepo(repository.path, f"{owner}/{name}", repository)
    accounts = Accounts(store, Origin("clone"))
    app = assemble(Services(settings, _KEY, accounts, store, store, None, Runs(settings, store)))
    headers = {"Authorization": f"Bearer {_KEY}", "X-User-Id": owner}
    http = httpx2.Client(transport=httpx2.WSGITransport(app), base_url="http://clone", headers=headers)
    return Client(http, name, repository)

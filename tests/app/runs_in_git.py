"""Manifests in the repository of a server, as runs write them."""

from pathlib import Path
from typing import Any

from app.domain import canonical_yaml
from app.domain.manifests import Manifest
from storage.store import Store
from tests.app.domain.manifests import manifest
from tests.storage.repositories import commit_files


def put_manifest(data_dir: Path, **fields: Any) -> Manifest:
    """Commit a manifest of `coding_target`, or with other fields, and return it; its commit is the tip before."""
    repository = Store(data_dir / "repos").open("alice/demo")
    made = manifest(**{"commit": repository.head().commit, **fields})
    repository.transact(commit_files({made.path: canonical_yaml.dump(made.document())}))
    repository.checkpoint()
    return made

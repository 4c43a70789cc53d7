"""A clone that has everything that the server has."""

from pathlib import Path

import pytest
from flask import Flask

from tests.app.cli.audit.asking import Pull
from tests.storage.repositories import git


@pytest.fixture
def clone(app: Flask, data_dir: Path, tmp_path: Path) -> Path:
    """A clone of `alice/demo`, after a checkpoint: git sees nothing of the journal."""
    app.extensions["bakehouse"].store.open("alice/demo").checkpoint()
    path = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(data_dir / "repos/alice/demo.git"), str(path))
    return path


@pytest.fixture
def pull(app: Flask, clone: Path) -> Pull:
    """Get what the server has by now into the clone."""

    def run() -> None:
        app.extensions["bakehouse"].store.open("alice/demo").checkpoint()
        git(clone, "pull", "--quiet")

    return run

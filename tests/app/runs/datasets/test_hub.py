"""Data sets of the Hugging Face hub: the real `datasets`, and a stand-in for the hub."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.runs.datasets import DatasetProblem, Datasets
from app.runs.datasets.hub import HubTable
from tests.app.runs.datasets import hub

ROOT = Path(__file__).parents[4]
PINNED = f"acme/questions@{hub.COMMIT}"
_ASK = """
import json, sys
from pathlib import Path
from app.runs.datasets import DatasetProblem, Datasets
found, datasets = [], Datasets(Path("none"))
for name in sys.argv[1:]:
    try:
        found.append([datasets.size(name), datasets.questions(name, [1, 0])])
    except DatasetProblem as error:
        found.append(str(error))
print(json.dumps(found))
"""
needs_datasets = pytest.mark.skipif(find_spec("datasets") is None, reason="datasets (bakehouse[hub]) is not installed")


def ask(folder: Path, address: str, *names: str) -> list[object]:
    """Return what a process of its own finds of data sets: the hub's address is read once, when it is imported."""
    environ = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(folder / "hub"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _ASK, *names]
    return json.loads(subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True).stdout)


@needs_datasets
@pytest.mark.slow
def test_a_data_set_of_the_hub_is_loaded_at_a_commit(tmp_path: Path):
    other = "acme/questions@" + "f" * 40
    with hub.running() as address:
        found, missing = ask(tmp_path, address, PINNED, other)
    assert found == [2, ["Why?", "Who?"]]
    assert missing == (
        f"Data set '{other}' cannot be loaded from the Hugging Face hub. It must be public, have a split called train "
        "and one configuration. The server's log says what happened."
    )


@needs_datasets
@pytest.mark.slow
def test_a_folder_of_the_server_is_no_data_set(tmp_path: Path):
    """`datasets` takes the name of a folder that is there for that folder."""
    (tmp_path / "acme/questions").mkdir(parents=True)
    (tmp_path / "acme/questions/data.jsonl").write_text('{"question": "Secret?"}\n{"question": "Secret, too?"}\n')
    with hub.running() as address:
        (found,) = ask(tmp_path, address, PINNED)
    assert "has the name of a folder where the server was started" in str(found)


def test_the_digest_is_that_of_the_name_and_needs_no_hub(tmp_path: Path):
    datasets = Datasets(tmp_path)
    assert datasets.digest(PINNED) == Datasets(tmp_path).digest(PINNED)
    assert datasets.digest(PINNED) != datasets.digest("acme/questions@" + "f" * 40)


def test_without_the_extra_a_data_set_of_the_hub_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DatasetProblem, match=r"ask the operator to install bakehouse\[hub\]"):
        Datasets(tmp_path).size(PINNED)


def test_what_the_hub_did_not_give_is_not_asked_for_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever looks at the status of a run would wait for the hub each time."""
    monkeypatch.setitem(sys.modules, "datasets", None)
    datasets, loads = Datasets(tmp_path), []
    real = HubTable.of
    monkeypatch.setattr(HubTable, "of", lambda name: loads.append(name) or real(name))
    for _ in range(3):
        with pytest.raises(DatasetProblem, match="ask the operator to install"):
            datasets.size(PINNED)
    assert loads == [PINNED]


@pytest.mark.parametrize(
    "name", ["acme/questions", "acme/questions@main", "acme/questions@0123456", "acme/q@" + "A" * 40]
)
def test_without_a_commit_a_data_set_of_the_hub_is_refused(tmp_path: Path, name: str):
    repo = name.partition("@")[0]
    for ask in (Datasets(tmp_path).size, Datasets(tmp_path).digest):
        with pytest.raises(DatasetProblem, match=f"names no commit, and may change: name it as `{repo}@<commit>`"):
            ask(name)

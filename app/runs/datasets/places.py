"""Where the file of a data set is, and which column its description names."""

import os
import re
from pathlib import Path

from app.domain import canonical_yaml
from app.domain.names import enumerated
from app.runs.datasets.problems import Unusable

SUFFIXES = (".csv", ".jsonl", ".parquet")

_NAME = re.compile(r"\w[\w.-]{0,99}")
_LARGEST_DESCRIPTION = 64 * 1024  # bytes


def file_of(folder: Path, name: str) -> Path:
    """Return the file of a data set; Unusable if there is none, or several, or if it is not in the folder."""
    found = files(folder, name)
    if not found:
        raise Unusable(
            "is not there. Name another one, or ask the operator to put a file of that name into `datasets/` in the "
            f"data directory of the server: {enumerated(f'{name}{suffix}' for suffix in SUFFIXES)}. "
            "A data set of the Hugging Face hub is named `<owner>/<name>@<commit>`."
        )
    if len(found) > 1:
        raise Unusable(f"has several files, {enumerated(path.name for path in found)}: ask the operator to keep one.")
    return _within(folder, found[0])


def files(folder: Path, name: str) -> list[Path]:
    """Return the files that a name could mean; Unusable for what is no name of a file."""
    if not _NAME.fullmatch(name):
        raise Unusable("has no name of a data set: it must hold only letters, digits, '.', '_' and '-', 100 at most.")
    return [path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()]


def column_of(folder: Path, name: str) -> str | None:
    """Return the column that `<name>.yml` names, or None without such a file; Unusable if it says anything else."""
    path = folder / f"{name}.yml"
    if not path.is_file():
        return None
    with _within(folder, path).open("rb") as file:
        data = file.read(_LARGEST_DESCRIPTION + 1)
    try:
        description = canonical_yaml.load(data) if len(data) <= _LARGEST_DESCRIPTION else {}
    except ValueError:
        description = {}
    if [*description] != ["column"] or not isinstance(description["column"], str):
        raise Unusable(f"has a file {path.name} that must be one line, `column: <name of the column of questions>`.")
    return description["column"]


def identity(file: int) -> tuple[int, ...]:
    """Return numbers that are others where the content of an open file may be another."""
    status = os.fstat(file)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _within(folder: Path, path: Path) -> Path:
    """Return a path; Unusable if symbolic links lead from it out of the folder."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Unusable(
            f"has a file {path.name} that leads out of `datasets/`: ask the operator to copy the file there."
        )
    return path

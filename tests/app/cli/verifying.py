"""`bakehouse verify`, changes made by hand, and the expected findings."""

from pathlib import Path

from click.testing import CliRunner, Result

from app.cli import main
from tests.storage.repositories import HAND, git


def verify(*arguments: object, data_dir: Path | None = None) -> Result:
    env = {} if data_dir is None else {"BAKEHOUSE_DATA_DIR": str(data_dir)}
    return CliRunner().invoke(main, ["verify", *map(str, arguments)], env=env)


def commit(clone: Path) -> None:
    git(clone, "add", "--all")
    git(clone, *HAND, "commit", "--quiet", "--message", "By hand")


def assert_found(result: Result, *lines: str) -> None:
    """Expect these findings and no others: a line starts with the part before `…` and has the part after."""
    found = result.stdout.splitlines()
    assert result.exit_code == (1 if lines else 0), result.output
    assert len(found) == len(lines), found
    for line, expected in zip(found, lines, strict=True):
        place, _, problem = expected.partition("…")
        assert line.startswith(place), line
        assert problem in line, line

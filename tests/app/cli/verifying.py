"""`bakehouse verify`, changes made by hand, and the expected findings."""

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result

from app.cli import main
from app.registry.configs import target_files, target_requests
from app.registry.configs.target_requests import TargetRequest
from storage.store import Store
from storage.transaction import Transaction
from tests.payloads import asking
from tests.storage.repositories import ALICE, HAND, commit_files, git


def verify(*arguments: object, data_dir: Path | None = None, stdin: bytes | None = None) -> Result:
    env = {} if data_dir is None else {"BAKEHOUSE_DATA_DIR": str(data_dir)}
    return CliRunner().invoke(main, ["verify", *map(str, arguments)], input=stdin, env=env)


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


def put_without_owners(data_dir: Path, name: str, content: str) -> None:
    """Make a target that replaces `templates/ask.txt`, whoever owns it, as older versions of Bakehouse did."""

    def change(transaction: Transaction) -> None:
        request = TargetRequest.of(name, "default", {"generators": asking(content)})
        target, _ = target_requests.resolved(transaction, request)
        files = {path: transaction.write(path, data) for path, data in request.files.items()}
        target_files.write(transaction, replace(target, files=files))
        transaction.commit(f"Update target {name}\n", ALICE)

    Store(data_dir / "repos").open("alice/demo").transact(change)


def delete_without_files(data_dir: Path, name: str) -> None:
    """Delete a target, and leave its question templates, as older versions of Bakehouse did."""
    Store(data_dir / "repos").open("alice/demo").transact(commit_files({f"targets/{name}.yml": None}))

"""Damaged accounts: the server starts, says what is damaged, and recovers once the accounts are repaired."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from app import create_app
from app.cli import main
from app.settings import Settings, SettingsError
from storage.journal import header
from storage.journal.journal_file import NAME
from tests.app.api.helpers import new_user
from tests.client import Client, assert_error
from tests.server import MASTER_KEY, running
from tests.storage.repositories import settle, unpack

HEADER = [0, 9, 24, 32, 40, 48, 52, header.SIZE - 1]  # a byte of each of its fields
RECORDS = [header.START + position for position in (0, 8, 100)]


@pytest.fixture
def data_dir(app: Flask) -> Path:
    path: Path = app.extensions["bakehouse"].settings.data_dir
    return path


def flip(data_dir: Path, position: int) -> None:
    """Flip a bit in the journal of accounts; the same call again flips the bit back."""
    with (data_dir / "accounts.git" / NAME).open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 4]))


def started(data_dir: Path) -> Flask:
    """Return another server on the same data."""
    return create_app(Settings(data_dir, master_key=MASTER_KEY))


def health(app: Flask) -> tuple[int, str]:
    response = Client(app, None).get("/v1/health")
    return response.status_code, response.json["status"]


def assert_nobody_is_let_in(app: Flask, token: str | None) -> None:
    """Expect 503 for any token, and answers for the master key where no account is needed."""
    reason = "'accounts' is damaged"
    assert health(app) == (503, "degraded")
    for given in (token, "unknown"):
        assert_error(Client(app, given).get("/v1/repo"), 503, "STORAGE_UNAVAILABLE", reason)
    master = Client(app, MASTER_KEY)
    assert master.get("/v1/repo", X_User_Id="alice").json["repos"] == ["demo"]
    assert_error(master.post("/v1/admin/users", {"user_id": "eve"}), 503, "STORAGE_UNAVAILABLE", reason)
    assert_error(Client(app, None).get("/v1/repo"), 401, "UNAUTHORIZED")


def assert_all_is_well(app: Flask, token: str | None) -> None:
    assert health(app) == (200, "healthy")
    assert Client(app, token).get("/v1/repo/demo").status_code == 200
    assert_error(Client(app, "unknown").get("/v1/repo"), 401, "UNAUTHORIZED")


@pytest.mark.usefixtures("no_checkpoints")
@pytest.mark.parametrize("position", HEADER + RECORDS)
def test_server_starts_with_a_flipped_bit_in_the_journal_of_accounts(
    data_dir: Path, alice: Client, caplog: pytest.LogCaptureFixture, position: int
):
    flip(data_dir, position)
    app = started(data_dir)
    (told,) = [record.message for record in caplog.records if record.name == "app"]
    for part in ("'accounts' is damaged: its journal", "bakehouse verify", f"{data_dir / 'accounts.git'}"):
        assert part in told
    assert_nobody_is_let_in(app, alice.token)
    flip(data_dir, position)
    assert_all_is_well(app, alice.token)


@pytest.mark.parametrize("how", ["flipped", "gone", "replaced by a file"])
def test_server_reads_a_copy_of_accounts_put_in_place_without_a_restart(
    app: Flask, data_dir: Path, alice: Client, how: str
):
    settle(data_dir)
    folder, copy = data_dir / "accounts.git", data_dir.with_name("copy")
    shutil.copytree(folder, copy)
    if how == "flipped":
        flip(data_dir, HEADER[0])
    else:
        shutil.rmtree(folder)
    if how == "replaced by a file":
        folder.write_text("")
    assert_nobody_is_let_in(app, alice.token)
    subprocess.run(["rm", "-rf", folder], check=True)
    copy.rename(folder)
    assert_all_is_well(app, alice.token)


def test_a_user_is_admitted_again_once_their_file_is_repaired(data_dir: Path, master: Client, alice: Client):
    bob = new_user(master, "bob")
    settle(data_dir)
    file = unpack(data_dir / "accounts.git", "users/alice.yml")
    away = file.rename(data_dir / "away")
    app = started(data_dir)
    assert_error(Client(app, alice.token).get("/v1/repo"), 503, "STORAGE_UNAVAILABLE", "'accounts' is damaged")
    assert Client(app, bob.token).get("/v1/repo").status_code == 200
    assert health(app) == (200, "healthy")
    away.rename(file)
    assert_all_is_well(app, alice.token)


@pytest.mark.usefixtures("alice")
def test_users_command_says_what_is_damaged(data_dir: Path):
    settle(data_dir)
    flip(data_dir, HEADER[0])
    result = CliRunner().invoke(main, ["users", "list"], env={"BAKEHOUSE_DATA_DIR": str(data_dir)})
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Repository 'accounts' is damaged: its journal, the file ")
    assert result.stderr.count("\n") == 1


def test_server_does_not_start_where_accounts_cannot_be_created(tmp_path: Path):
    (tmp_path / "Accounts.git").mkdir()
    with pytest.raises(SettingsError, match="only in case"):
        started(tmp_path)


def test_a_server_with_two_workers_starts_with_damaged_accounts_and_recovers(data_dir: Path, alice: Client):
    settle(data_dir)
    flip(data_dir, HEADER[0])
    with running(data_dir, workers="2") as server:
        ask = asking(server.url, str(alice.token))
        assert ask("/v1/health") == (503, "degraded")
        assert ask("/v1/repo/demo") == (503, "STORAGE_UNAVAILABLE")
        assert "To see what is damaged, run: bakehouse verify" in server.log.read_text()
        flip(data_dir, HEADER[0])
        assert ask("/v1/health") == (200, "healthy")
        assert ask("/v1/repo/demo") == (200, None)


def asking(url: str, token: str) -> Callable[[str], tuple[int, str | None]]:
    """Return a function that sends a GET, and returns the status and the `status` or `code` of the answer."""

    def ask(path: str) -> tuple[int, str | None]:
        request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request) as answer:
                status, content = answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                status, content = error.code, json.load(error)
        return status, content.get("status") or content.get("code")

    return ask

"""`bakehouse demo`: what its repo has to show, and what a second call does."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app import create_app
from app.cli import main
from app.settings import Settings
from tests.client import Client
from tests.server import MASTER_KEY
from tests.storage.repositories import git

REPO = "/v1/repo/bakery"
PEOPLE = {"demo-alice", "demo-bob", "demo-carol"}


def call(data_dir: Path, *arguments: str, **settings: str) -> Result:
    return CliRunner().invoke(main, [*arguments], env={"BAKEHOUSE_DATA_DIR": str(data_dir), **settings})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A data directory, which the command made, and what the command printed."""
    path = tmp_path_factory.mktemp("demo") / "data"
    return path, call(path, "demo")


@pytest.fixture(scope="module")
def data_dir(made: tuple[Path, Result]) -> Path:
    return made[0]


@pytest.fixture(scope="module")
def printed(made: tuple[Path, Result]) -> Result:
    return made[1]


@pytest.fixture(scope="module")
def owner(data_dir: Path, printed: Result) -> Client:
    """The requests of who signs in with the token that was printed."""
    app = create_app(Settings(data_dir, master_key=MASTER_KEY))
    return Client(app, re.search(r"^Token: (\S+)$", printed.output, re.MULTILINE)[1])


def log(owner: Client) -> list[Mapping[str, Any]]:
    return list(owner.get(f"{REPO}/log?limit=100").json["commits"])


def rows(owner: Client) -> list[Mapping[str, Any]]:
    return list(owner.get(f"{REPO}/targets?fields=generators&limit=100&include_metadata=true").json["targets"])


def test_it_prints_the_address_and_the_token_once(printed: Result, data_dir: Path, owner: Client):
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert re.fullmatch(
        r"Token: bakehouse_\S+\n"
        r"Made demo-alice/bakery, with \d+ targets, \d+ prompts, 3 labels, 2 tags\.\n"
        r"Address: http://127\.0\.0\.1:8080/demo-alice/bakery\n"
        r"Start the server with 'bakehouse serve' unless it runs, and sign in with the token, shown this once\.\n",
        printed.stdout,
    )
    before = log(owner)
    again = call(data_dir, "demo", BAKEHOUSE_PUBLIC_URL="https://bakehouse.example.org/b")
    assert (again.exit_code, again.stderr) == (0, "")
    assert re.fullmatch(
        r"demo-alice/bakery is there already, with \d+ targets, \d+ prompts, 3 labels, 2 tags\.\n"
        r"Address: https://bakehouse\.example\.org/b/demo-alice/bakery\n"
        r"Sign in as before, or get another token: bakehouse users tokens rotate demo-alice initial\n",
        again.stdout,
    )
    assert log(owner) == before


def test_its_targets_are_a_deep_family_with_every_type_of_generator(owner: Client):
    names = owner.get(f"{REPO}/targets").json["targets"]
    assert 12 <= len(names) <= 25
    depths = [len(owner.get(f"{REPO}/targets/{name}/explain").json["layers"]) for name in names]
    assert max(depths) >= 5  # the default, three templates, and the target's own overrides
    configs = [owner.get(f"{REPO}/targets/{name}").json["config"] for name in names]
    types = {generator["type"] for config in configs for generator in config["generators"]}
    assert types == {"oneshot_qs", "hardcoded", "persona", "from_dataset", "custom"}


def test_several_people_changed_it_and_told_why(owner: Client):
    commits = log(owner)
    assert {commit["author"]["user"] for commit in commits} == PEOPLE
    changes = [
        commit for commit in commits if any(re.match("targets|prompts|labels", f["path"]) for f in commit["files"])
    ]
    assert len(changes) >= 25
    assert all(commit["reason"] for commit in changes)
    assert len({commit["reason"] for commit in changes}) > 0.8 * len(changes)
    assert any(commit["subject"].startswith("Revert teacher_allergies") for commit in commits)
    assert any(commit["subject"].startswith("Rebase") for commit in commits)
    assert any(commit["subject"].startswith("Delete") for commit in commits)
    assert any(len(commit["files"]) > 4 for commit in commits)  # a sweep


def test_its_users_are_told_apart_from_the_operators(owner: Client, data_dir: Path):
    """No token of theirs made the changes: each commit tells that the command acted for the user."""
    listed = call(data_dir, "users", "list").stdout.splitlines()
    assert {line.split("\t")[0] for line in listed} == PEOPLE
    commits = log(owner)
    assert all(commit["author"]["token"] is None for commit in commits)
    call(data_dir, "maintain")  # puts all commits into git's own files
    messages = git(data_dir / "repos/demo-alice/bakery.git", "log", "--format=%B", "main")
    assert messages.count("\nOn-Behalf-Of: demo-") == len(commits)
    grants = owner.get(f"{REPO}/grants").json["grants"]
    assert {grant["user_id"]: grant["access"] for grant in grants} == {"demo-bob": "write", "demo-carol": "write"}
    bob = Client(owner.app, call(data_dir, "users", "tokens", "rotate", "demo-bob", "initial").stdout.strip())
    assert bob.get(f"{REPO}/targets?user_id=demo-alice").status_code == 200


def test_some_targets_drifted_and_some_did_not(owner: Client):
    names = owner.get(f"{REPO}/targets").json["targets"]
    drifted = [name for name in names if owner.get(f"{REPO}/targets/{name}/drift").json["changes"]]
    assert "teacher" in drifted
    assert 3 <= len(drifted) <= len(names) - 3


def test_its_labels_moved_and_its_tags_stay(owner: Client):
    moves = {name: owner.get(f"{REPO}/labels/{name}/history").json["moves"] for name in ("production", "staging")}
    assert min(map(len, moves.values())) >= 4
    tags = {tag["name"]: tag["commit"] for tag in owner.get(f"{REPO}/tags").json["tags"]}
    assert tags.keys() == {"v1", "v2"}
    assert moves["production"][1]["to"] == tags["v1"]  # production went back once
    assert moves["production"][0]["to"] == tags["v2"]
    assert owner.get(f"{REPO}/labels/production").json["protected"] == ["demo-bob"]


def test_its_stims_are_complete_and_one_is_stale(owner: Client):
    runs = owner.get(f"{REPO}/runs").json["runs"]
    assert {run["target_name"] for run in runs} == {"teacher", "teacher_orders", "teacher_allergies"}
    assert {run["status"] for run in runs} == {"complete"}
    now = {name: owner.get(f"{REPO}/targets/{name}/stim").json["stale"] for name in ("teacher", "teacher_allergies")}
    assert now == {"teacher": True, "teacher_allergies": False}
    output = owner.get(f"{REPO}/targets/teacher_orders/stim/output").json["output"]
    assert len(output) == 8
    assert "Two rye loaves" in str(output)


def test_nothing_of_it_is_damaged(data_dir: Path):
    verified = call(data_dir, "verify", "--strict")
    assert (verified.exit_code, verified.stderr.splitlines()[-1]) == (0, "Nothing found.")


def test_it_works_beside_a_server_and_leaves_what_is_there(tmp_path: Path):
    server = create_app(Settings(tmp_path / "data", master_key=MASTER_KEY))
    master = Client(server, MASTER_KEY)
    alice = Client(server, master.post("/v1/admin/users", {"user_id": "alice"}).json["api_key"])
    alice.post("/v1/repo", {"repo_name": "bakery"})
    before = alice.get(f"{REPO}/log").json
    made = call(tmp_path / "data", "demo")
    assert made.exit_code == 0, made.output
    assert alice.get(f"{REPO}/log").json == before
    token = made.stdout.split()[1]
    assert Client(server, token).get(f"{REPO}/targets/teacher").status_code == 200


def test_a_demo_that_was_cut_short_is_told_and_can_be_made_again(tmp_path: Path):
    server = create_app(Settings(tmp_path / "data", master_key=MASTER_KEY))
    master = Client(server, MASTER_KEY)
    token = master.post("/v1/admin/users", {"user_id": "demo-alice", "user_alias": "Alice"}).json["api_key"]
    Client(server, token).post("/v1/repo", {"repo_name": "bakery"})
    refused = call(tmp_path / "data", "demo")
    assert refused.exit_code == 1
    assert "Only a part of demo-alice/bakery was made" in refused.stderr
    command = re.search("'bakehouse (repos delete .*?)'", refused.stderr)[1]
    assert call(tmp_path / "data", *command.split()).exit_code == 0
    made = call(tmp_path / "data", "demo")
    assert made.exit_code == 0, made.output
    assert "Token:" not in made.stdout  # the user was there, with a token of theirs
    assert Client(server, token).get(f"{REPO}/targets/teacher").status_code == 200

"""Clones whose configuration names commands: whoever reads or imports such a clone runs none of them."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from app.cli import main
from storage.clones import Clone
from storage.errors import RepositoryDamaged
from storage.location import Location
from storage.machine import git_command
from tests.app.cli.audit.asking import ask
from tests.app.cli.verifying import verify
from tests.storage.repositories import git, unpack

PARTIAL = """
[core]
	repositoryformatversion = 1
[extensions]
	partialClone = elsewhere
[remote "elsewhere"]
	promisor = true
	url = {folder}/nothing
	uploadpack = "{script};false"
"""
COMMANDS = """
[core]
	fsmonitor = {script}
	sshCommand = {script}
	hooksPath = {folder}/hooks
	alternateRefsCommand = {script}
	pager = {script}
	editor = {script}
	askPass = {script}
	gitProxy = {script}
	attributesFile = {folder}/attributes
[diff]
	external = {script}
[diff "evil"]
	command = {script}
	textconv = {script}
[filter "evil"]
	clean = {script}
	smudge = {script}
	process = {script}
	required = true
[merge "evil"]
	driver = {script}
[log]
	showSignature = true
[gpg]
	program = {script}
[gpg "ssh"]
	program = {script}
[pager]
	log = {script}
	diff = {script}
	config = {script}
[uploadpack]
	packObjectsHook = {script}
[credential]
	helper = {script}
[protocol]
	allow = always
[protocol "ext"]
	allow = always
[remote "origin"]
	uploadpack = {script}
[trailer "moment"]
	command = {script}
[gc]
	auto = 1
"""
HOOKS = ("post-index-change", "reference-transaction", "pre-auto-gc", "post-checkout", "fsmonitor-watchman")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that the script of the configurations makes."""
    return tmp_path / "mark"


@pytest.fixture
def signed(clone: Path) -> Path:
    """A clone whose last commit has a signature, which git may have a program check."""
    header, _, message = git(clone, "cat-file", "commit", "HEAD").partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----"
    text = f"{header}\n{signature}\n\n{message}"
    commit = git(clone, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text).strip()
    git(clone, "update-ref", "refs/heads/main", commit)
    return clone


def configure(clone: Path, text: str, mark: Path) -> None:
    folder = mark.parent / "evil"
    (folder / "hooks").mkdir(parents=True)
    for script in (folder / "script", *(folder / "hooks" / name for name in HOOKS)):
        script.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\nexit 1\n')
        script.chmod(0o755)
    (folder / "attributes").write_text("* diff=evil filter=evil merge=evil\n")
    (clone / ".git/info").mkdir(exist_ok=True)
    (clone / ".git/info/attributes").write_text("* diff=evil filter=evil merge=evil\n")
    with (clone / ".git/config").open("a") as file:
        file.write(text.format(script=folder / "script", folder=folder))


def import_(app: Flask, folder: Path) -> str:
    data_dir = app.extensions["bakehouse"].settings.data_dir
    command = ["repos", "import", "alice/imported", str(folder)]
    return CliRunner().invoke(main, command, env={"BAKEHOUSE_DATA_DIR": str(data_dir)}).output


def read_in_every_way(app: Flask, clone: Path) -> list[str]:
    """Call all commands that read a clone, and return what each prints."""
    before = git(clone, "rev-parse", "HEAD~1").strip()
    told = [verify(clone).output, import_(app, clone)]
    for command in (
        "log",
        "log --author Alice",
        "log --field temperature",
        f"diff {before}",
        f"diff {before} --patch",
        f"diff {before} -t calm_target --patch",
        "explain calm_target",
        "history calm_target",
        "uses calm_target",
        "targets",
        "labels",
        "timeline calm_target",
    ):
        told.append(ask(*command.split(), "--clone", clone).output)
    return told


def test_git_by_itself_runs_the_commands_of_a_configuration(signed: Path, mark: Path):
    """Otherwise the next tests would show nothing."""
    configure(signed, COMMANDS, mark)
    git(signed, "log", "-1")
    assert "script --" in mark.read_text()
    mark.unlink()
    subprocess.run(["git", "-C", str(signed), "diff", "HEAD~1", "HEAD"], capture_output=True)
    subprocess.run(["git", "-C", str(signed), "status"], capture_output=True)
    assert mark.exists()


def test_a_clone_is_read_without_the_commands_of_its_configuration(app: Flask, signed: Path, mark: Path):
    configure(signed, COMMANDS, mark)
    told = read_in_every_way(app, signed)
    assert not mark.exists(), mark.read_text()
    assert told[1].startswith("Imported alice/imported at ")
    assert not [each for each in told if "Error" in each]


@pytest.mark.parametrize("included", [False, True])
def test_a_partial_clone_is_refused_and_nothing_is_fetched(app: Flask, clone: Path, mark: Path, included: bool):
    unpack(clone / ".git", "targets/calm_target.yml").unlink()
    configure(clone, PARTIAL, mark)
    if included:
        (clone / ".git/other").write_text(PARTIAL.format(script="false", folder="nowhere"))
        git(clone, "config", "--remove-section", "extensions")
        git(clone, "config", "--unset", "remote.elsewhere.promisor")
        git(clone, "config", "include.path", "other")
    told = read_in_every_way(app, clone)
    assert not mark.exists(), mark.read_text()
    assert [each for each in told if "it is a partial clone: clone it anew, without --filter" not in each] == []
    with pytest.raises(RepositoryDamaged, match="partial clone"):
        Clone("it", clone)


def test_no_process_of_git_fetches_what_is_missing(clone: Path, mark: Path):
    """Whatever made a repository a partial clone after it was opened."""
    blob = git(clone, "rev-parse", "HEAD:targets/calm_target.yml").strip()
    unpack(clone / ".git", "targets/calm_target.yml").unlink()
    configure(clone, PARTIAL, mark)
    place = Location("it", clone / ".git")
    assert git_command.attempt(place, "cat-file", "-e", blob)[0] != 0
    assert git_command.attempt(place, "log", "-p", "-1")[0] != 0 or not mark.exists()
    with pytest.raises(ValueError, match="missing"):
        git_command.read(git_command.kept(clone), blob)
    assert not mark.exists()
    subprocess.run(["git", "-C", str(clone), "cat-file", "-e", blob], capture_output=True)
    assert mark.exists(), "git by itself fetches, so that this test shows something"

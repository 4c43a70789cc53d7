"""Patterns of paths: here they find what git finds."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.globs import Glob, paths_like
from tests.storage.repositories import HAND

PATHS = [
    *("a", "a.yml", "ab", "abba.b", "-", "!", "a-b", "a*b", "a?", "a[b]", "a\\b", "é", "éa", "]", "^a"),
    *("b/a", "b/ab", "b/a.yml", "b/é", "c/a/b", "c/a/a/b", "c/b", "[ab]/a", "d/.a", "e/z/a/b"),
]
NAMES = st.text(st.sampled_from("abcé*?[]!^-.\\z"), min_size=1, max_size=6).filter(lambda name: name.strip("."))
PATTERNS = st.lists(NAMES | st.just("**"), min_size=1, max_size=4).map("/".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose only commit has files with all kinds of names."""
    folder = tmp_path_factory.mktemp("globs")
    listed = "".join(f"100644 {'0' * 39}1 0\t{path}\0" for path in PATHS)
    _git(folder, "init", "--quiet")
    _git(folder, "update-index", "-z", "--index-info", stdin=listed)
    tree = _git(folder, "write-tree", "--missing-ok").strip()
    (folder / "commit").write_text(_git(folder, *HAND, "commit-tree", tree, "-m", "All"))
    return folder


def _git(folder: Path, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], input=stdin, capture_output=True, check=True, text=True)
    return done.stdout


@given(PATTERNS)
@example("*")
@example("**")
@example("**/a")
@example("b/**")
@example("c/**/b/")
@example("[!b]")
@example("[^a-]*")
@example("[z-a]")
@example("[a-]b")
@example("[]a]")
@example("a[")
@example("é?")
@example("e/*")
def test_a_pattern_finds_here_what_it_finds_in_git(repository: Path, pattern: str):
    glob = Glob(pattern)
    commit = (repository / "commit").read_text().strip()
    command = ("diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-only", commit, "--", *glob.pathspecs())
    found = _git(repository, *command).split("\0")[:-1]
    assert [path for path in sorted(PATHS) if glob.matches(path)] == sorted(found)


def test_many_stars_take_no_time():
    assert not Glob("a/" + "*a" * 200 + "*b").matches("a/" + "a" * 200)
    assert Glob("a/" + "*a" * 200).matches("a/" + "a" * 200)


def test_a_text_is_a_file_a_folder_a_pattern_or_the_start_of_paths():
    assert paths_like("targets/a.yml") == "targets/a.yml"
    assert paths_like("targets/") == "targets/"
    assert paths_like("targets/night*.yml") == Glob("targets/night*.yml")
    assert paths_like("targets/night") == Glob("targets/night*")

"""`bakehouse verify --rows`: an export tells its run, and one that was changed tells what may have happened to it."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from app.domain import canonical_yaml
from app.domain.manifests import Manifest, name_of
from app.runs.recipe.rows import Context, line, rollout_row, stim_row
from tests.app.api.bundles import commit as commit_by_hand
from tests.app.cli.verifying import assert_found, verify
from tests.app.domain.manifests import manifest
from tests.app.runs_in_git import put_manifest
from tests.storage.repositories import git

CONTEXT = Context([{"role": "system", "content": "Be terse."}], [], None, [])
QUESTIONS = ["Why?", "Wie groß?", "Half a pair: \ud83d"]


def stim_lines() -> list[bytes]:
    return [line(stim_row(CONTEXT, number, 0, question)) for number, question in enumerate(QUESTIONS)]


def rollout_lines(commit: str) -> list[bytes]:
    """Return two answers to each question; the last one is an error."""
    said = [{"role": "assistant", "content": f"Answer {number}"} for number in range(5)]
    answers: list[dict[str, Any]] = [{"response": response, "seed": seed} for seed, response in enumerate(said)]
    answers.append({"response": None, "error": {"type": "refused", "message": "No"}, "seed": 5})
    stims = [stim_row(CONTEXT, number, 0, question) for number, question in enumerate(QUESTIONS)]
    return [line(rollout_row(stims[n // 2], n % 2, answer, "small", commit)) for n, answer in enumerate(answers)]


def put(data_dir: Path, lines: list[bytes], **fields: Any) -> Manifest:
    """Commit the manifest of a run with some rows."""
    digest = sha256(b"".join(lines)).hexdigest()
    return put_manifest(data_dir, target="calm_target", rows=len(lines), rows_sha256=digest, **fields)


@pytest.fixture
def commit(data_dir: Path) -> str:
    """The commit whose target was carried out."""
    return git(data_dir / "repos/alice/demo.git", "rev-parse", "main").strip()


@pytest.fixture
def rows(data_dir: Path, commit: str) -> list[bytes]:
    """The rows of a rollout whose manifest the repo has, beside that of its stim."""
    put(data_dir, stim_lines(), kind="stim", commit=commit, failed=0, truncated=0, inputs={"kind": "stim"})
    lines = rollout_lines(commit)
    put(data_dir, lines, commit=commit)
    return lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.ndjson"


def check(file: Path, clone: Path | None, lines: list[bytes], **options: Any) -> Result:
    file.write_bytes(b"".join(lines))
    return verify("--rows", file, *([clone] if clone else []), **options)


def test_an_export_tells_its_run_its_target_and_its_commit(rows: list[bytes], clone: Path, file: Path, commit: str):
    done = check(file, clone, rows)
    assert (done.exit_code, done.stderr) == (0, "Nothing found.\n")
    name = f"calm_target/rollout-{manifest().key[:12]}"
    told = f"the 6 rows of the run {name} in {clone}, of target 'calm_target' at commit {commit}"
    assert done.stdout == f"{file}: {told}\n"
    assert "3 rows of the run calm_target/stim-" in check(file, clone, stim_lines()).stdout


def test_a_bare_clone_and_the_server_itself_can_be_asked(rows: list[bytes], data_dir: Path, file: Path, clone: Path):
    bare = clone.parent / "bare.git"
    git(clone.parent, "clone", "--quiet", "--bare", str(clone), str(bare))
    assert f"in {bare}, of target" in check(file, bare, rows).stdout
    assert "in alice/demo, of target" in check(file, None, rows, data_dir=data_dir).stdout
    assert verify("--rows", file, "--repo", "alice/demo", data_dir=data_dir).exit_code == 0
    assert verify("--rows", file, "--repo", "alice/none", data_dir=data_dir).exit_code == 2
    assert verify("--rows", file, "--repo", "alice/demo", clone, data_dir=data_dir).exit_code == 2


def test_rows_that_were_made_again_since_are_found_by_the_earlier_manifest(
    rows: list[bytes], data_dir: Path, clone: Path, file: Path, commit: str
):
    put(data_dir, rows[:4], commit=commit, failed=0)
    git(clone, "pull", "--quiet")
    assert "the 6 rows of the run calm_target/rollout-" in check(file, clone, rows).stdout
    assert "the 4 rows of the run calm_target/rollout-" in check(file, clone, rows[:4]).stdout


def test_a_manifest_that_no_run_wrote_is_a_finding(rows: list[bytes], clone: Path, file: Path, commit: str):
    forged = manifest(commit=commit, rows_sha256=sha256(b"".join(rows)).hexdigest(), target="nobody")
    commit_by_hand(clone, {forged.path: canonical_yaml.dump(forged.document()).decode()})
    done = check(file, clone, rows)
    assert done.exit_code == 1
    assert f"at its commit {commit} there is no target 'nobody'" in done.stdout


def changed(row: bytes, **fields: Any) -> bytes:
    return line({**json.loads(row), **fields})


def spaced(row: bytes) -> bytes:
    return row.replace(b'":', b'": ')


# What somebody did to the six rows of a rollout, and what is found then.
SPOILED: list[tuple[Callable[[list[bytes]], list[bytes]], list[str]]] = [
    (lambda rows: [*rows[:2], *rows[3:]], ["line 3: stimulus 1, trajectory 1 does not follow", "1 are missing here"]),
    (lambda rows: rows[1:], ["line 1: stimulus 0, trajectory 1 does not follow", "1 are missing here"]),
    (lambda rows: rows[:-1], ["has 6 rows, so 1 are missing here"]),
    (lambda rows: [*rows, rows[-1]], ["line 7: stimulus 2, trajectory 1 does not follow", "1 are too many here"]),
    (lambda rows: [changed(rows[0], seed=7), *rows[1:]], ["has as many rows, of which at least one is another"]),
    (lambda rows: [b"{\n", *rows[1:]], ["line 1: it is no JSON", "line 2: stimulus 0", "has as many rows"]),
    (lambda rows: [*rows[:-1], rows[-1][:-1]], ["line 6: it has no line end, so the file may", "has as many rows"]),
    (lambda rows: [*rows[:-1], rows[-1][:-9]], ["line 6: it is no JSON", "has as many rows"]),
    (lambda rows: [spaced(rows[0]), *rows[1:]], ["line 1: it is not written as runs write rows", "has as many rows"]),
    (lambda rows: [*rows[:3], b"\n", *rows[3:]], ["line 4: it is no JSON", "1 are too many here"]),
    (lambda rows: [b'{"a": 1}\n', *rows[1:]], ["line 1: it is no row of a run", "line 2: stimulus 0", "as many rows"]),
    (lambda _: [b"[1]\n"], ["line 1: it is no row of a run"]),
    (lambda rows: [*rows[:5], changed(rows[5], commit="1" * 40)], ["line 6: it is of the commit 111", "as many rows"]),
    (
        lambda rows: [*rows[:5], changed(rows[5], commit="\x1b]0;owned\x07")],
        ["line 6: its commit is none", "as many rows"],
    ),
    (lambda rows: [*rows[:5], changed(rows[5], commit=None)], ["line 6: its commit is none", "as many rows"]),
    (
        lambda rows: [*rows[:5], changed(rows[5], stimulus_id=10**4000)],
        ["line 6: it is no row of a run", "as many rows"],
    ),
    (lambda rows: [*rows[:5], stim_lines()[2]], ["line 6: it is a row of a stim", "has as many rows"]),
    (lambda _: stim_lines()[:2], []),
    (lambda _: [changed(stim_lines()[0], question="Who?"), *stim_lines()[1:]], ["the run calm_target/stim-"]),
    (lambda _: [], []),
]


@pytest.mark.parametrize(("spoil", "findings"), SPOILED)
def test_an_export_that_was_changed_is_told(
    rows: list[bytes], clone: Path, file: Path, spoil: Callable[[list[bytes]], list[bytes]], findings: list[str]
):
    lines = spoil(rows)
    digest = sha256(b"".join(lines)).hexdigest()
    told = f"{file}: no run has these {len(lines)} lines, with the SHA-256 {digest}"
    assert_found(check(file, clone, lines), told, *[f"…{finding}" for finding in findings])


@pytest.mark.usefixtures("rows")
def test_many_lines_that_are_wrong_are_counted(clone: Path, file: Path):
    done = check(file, clone, [b"x\n"] * 100)
    assert len(done.stdout.splitlines()) == 22
    assert done.stdout.splitlines()[-1] == f"{file}: 80 further lines are not in order"


def test_a_repo_without_runs_has_no_rows(clone: Path, file: Path, commit: str):
    assert_found(check(file, clone, rollout_lines(commit)), f"{file}: no run has these 6 lines")


def test_a_file_or_a_clone_that_is_not_there_is_a_wrong_argument(clone: Path, tmp_path: Path, file: Path):
    file.write_bytes(b"")
    assert verify("--rows", tmp_path / "none", clone).exit_code == 2
    assert verify("--rows", file, tmp_path).exit_code == 2


def test_the_standard_input_can_be_checked(data_dir: Path, commit: str, clone: Path):
    name = name_of(put(data_dir, stim_lines(), kind="stim", commit=commit, inputs={"kind": "stim"}).path)
    git(clone, "pull", "--quiet")
    done = verify("--rows", "-", clone, stdin=b"".join(stim_lines()))
    assert f"-: the 3 rows of the run {name}" in done.stdout

"""The walks of CONTRIBUTING.md: their diffs, applied to a copy of the checkout, pass the tests that they name.

Each `diff` block starts with a line `+++` and the path of the file. Lines with `-` and with a space must be in the
file, once; lines with `+` take the place of those with `-`. A block that has only `+` is appended, or is a new file.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^   ```diff\n   \+\+\+ (\S+)\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)
TESTS = (
    "tests/app/schemas/test_targets.py",
    "tests/app/api/test_targets.py",
    "tests/app/api/test_target_mistakes.py",
    "tests/app/api/test_target_yaml.py",
    "tests/app/api/test_refs.py",
    "tests/app/api/test_log_filters.py",
    "tests/app/api/test_run_rows.py",
    "tests/app/runs/test_stims.py",
    "tests/app/test_answers.py",
    "tests/app/test_api_page.py",
    "tests/app/test_contract.py",
    "tests/app/test_openapi.py",
    "tests/storage/test_history.py",
    "tests/storage/journal/test_answers_from_the_journal.py",
)


def apply(block: str, path: Path) -> None:
    lines = [line[3:] for line in block.splitlines()]
    old = "\n".join(line[1:] for line in lines if line[:1] in ("-", " "))
    new = "\n".join(line[1:] for line in lines if line[:1] in ("+", " "))
    if not old:
        before = path.read_text() + "\n\n" if path.exists() else ""
        path.write_text(f"{before}{new}\n")
        return
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name} does not have once: {old}"
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_the_walks_lead_to_passing_tests(tmp_path: Path):
    copy = tmp_path / "bakehouse"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(blocks) == (ROOT / "CONTRIBUTING.md").read_text().count("```diff") > 10
    for path, block in blocks:
        apply(block, copy / path)
    subprocess.run([sys.executable, "-m", "tests.answers"], cwd=copy, check=True, capture_output=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]

"""Every example in the documents does what the page says, and answers what the page shows."""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.conftest import needs_curl
from tests.e2e.pages import ANSWERS, LANGUAGES, ROOT, RUN, Block, blocks, is_same, pages, problems, run


@needs_curl
@pytest.mark.parametrize("page", pages())
def test_the_examples_of_a_page_in_their_order(page: str, tmp_path: Path):
    found = blocks(page)
    if any(block.language in RUN for block in found):
        wrong = problems(found, run(found, tmp_path))
        assert not wrong, "\n".join(wrong)
        assert not secrets_to_commit(tmp_path)


def secrets_to_commit(folder: Path) -> list[str]:
    """Return the files with a token that examples made in a checkout, and that git there would take."""
    git("init", "--quiet", folder)
    shutil.copy(ROOT / ".gitignore", folder)
    seen = git("-C", folder, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    files = [folder / name for name in seen if name]
    return [path.name for path in files if path.is_file() and b"bakehouse_" in path.read_bytes()]


def git(*arguments: object) -> str:
    return subprocess.run(["git", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


@needs_curl
def test_the_first_steps_of_the_readme_can_be_pasted_twice(tmp_path: Path):
    found = blocks("README.md")
    first = next(block for block in found if block.language in RUN)
    until = found.index(first) + 4
    wrong = problems(found[:until], run([first, first, *found[:until]], tmp_path))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", pages())
def test_each_block_says_whether_it_can_be_run(page: str):
    found = blocks(page)
    assert len(found) * 2 == len(re.findall(r"^ *```", (ROOT / page).read_text(), re.MULTILINE))
    assert not [block for block in found if block.language not in LANGUAGES]


@pytest.mark.parametrize(
    "page",
    ["README.md", "docs/api.md", "docs/runs.md", "docs/runs-api.md", "docs/operating.md", "docs/command-line.md"],
)
def test_the_pages_for_users_show_answers_to_what_is_run(page: str):
    found = blocks(page)
    answers = [(before, block) for before, block in pairwise(found) if block.language in ANSWERS]
    assert len(answers) >= 3
    assert found[0].language not in ANSWERS
    assert not [block for before, block in answers if before.language not in RUN]


@pytest.mark.parametrize("page", pages())
def test_each_make_target_that_is_named_exists(page: str):
    named = re.findall(r"`make ([\w./-]+)", (ROOT / page).read_text())
    for block in blocks(page):
        named += re.findall(r"^(?:\$ )?make ([\w./-]+)", block.text, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert not [target for target in named if not re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)]


def test_the_table_of_settings_is_complete():
    table = re.findall(r"^\| (`BAKEHOUSE_.*?) \|", (ROOT / "docs/operating.md").read_text(), re.MULTILINE)
    listed = re.findall(r"`(BAKEHOUSE_[A-Z_]+)`", "\n".join(table))
    code = re.findall(r'"(BAKEHOUSE_[A-Z_]+)"', (ROOT / "app/settings.py").read_text())
    assert len(listed) == len(set(listed))
    assert set(listed) == set(code)


@pytest.mark.parametrize("page", pages())
def test_each_setting_that_is_named_exists(page: str):
    modules = [ROOT / "app/settings.py", *ROOT.glob("app/cli/asking/*.py")]
    code = "".join(module.read_text() for module in modules)
    for name in re.findall(r"\bBAKEHOUSE_[A-Z_]+\b(?!\*)", (ROOT / page).read_text()):
        assert f'"{name.rstrip("_")}' in code, name


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        ('{"a": 1}', '{"a":1}', True),
        ('{"a": 1}', '{"a":1.0}', False),
        ('{"a": 1}', '{"a":1,"b":2}', False),
        ('{"a": 1, "…": "…"}', '{"a":1,"b":2}', True),
        ('{"a": 1, "…": "…"}', '{"b":2}', False),
        ('["a", "…"]', '["a","b","c"]', True),
        ('["a", "…"]', '["b","b","c"]', False),
        ('["a"]', '["a","b"]', False),
        ('["…", "b", "…"]', '["a","b","c"]', True),
        ('["…", "d", "…"]', '["a","b","c"]', False),
        ('["…", "b"]', '["a","b","c"]', False),
        ('"0123456…"', f'"{"abc" * 13}d"', True),
        ('"0123456…"', '"main"', False),
        ('"2026-11-27T12:00:00+00:00"', '"2027-01-01T00:00:00+00:00"', True),
        ('"2026-11-27T12:00:00+00:00"', '"yesterday"', False),
        ('{"0123456…": 1, "a": 2}', f'{{"{"ab" * 20}": 1, "a": 2}}', True),
        ('{"0123456…": 1}', f'{{"{"ab" * 20}": 2}}', False),
        ('{"0123456…": 1}', f'{{"{"ab" * 20}": 1, "{"cd" * 20}": 1}}', False),
        ('{"0123456…": 1, "…": "…"}', f'{{"{"ab" * 20}": 2, "{"cd" * 20}": 1}}', True),
        ('{"0123456…": 1}', '{"a": 1}', False),
        ('{"role": "assistant", "content": "I bake."}', '{"role":"assistant","content":"Hi!"}', True),
        ('{"role": "assistant", "content": "I bake."}', '{"role":"assistant","tool_calls":[]}', False),
        ('{"role": "user", "content": "Who are you?"}', '{"role":"user","content":"Why?"}', False),
        ("true", "1", False),
        ("{}", "no JSON", False),
    ],
)
def test_answers_are_compared(shown: str, said: str, same: bool):
    assert is_same(Block(1, "json", shown), said) is same


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        ("one\ntwo\n", "one\ntwo", True),
        ("one\n", "one\ntwo\n", False),
        ("one\n…\n", "one\ntwo\nthree\n", True),
        ("…\nthree\n", "one\ntwo\nthree\n", True),
        ("…\nthree\n", "one\ntwo\n", False),
        ("o…\n", "one\ntwo\n", False),
        ("index 1a2b3c4..5d6e7f8 100644\n", "index 0000000..fffffff 100644\n", True),
        ("temperature  2026-11-27 12:00:00  Alice\n", "temperature  2027-01-02 03:04:05  Alice\n", True),
        ("temperature  2026-11-27 12:00:00  Alice\n", "temperature  2027-01-02  Alice\n", False),
        ("Date:   Fri Nov 27 12:00:00 2026 +0000\n", "Date:   Sat Jan 2 03:04:05 2027 +0000\n", True),
    ],
)
def test_outputs_are_compared(shown: str, said: str, same: bool):
    assert is_same(Block(1, "output", shown), said) is same


def test_an_error_that_a_page_does_not_show_is_found():
    found = [Block(1, "sh", "curl …"), Block(4, "text", "…")]
    assert problems(found, {1: '{"message":"…","code":"INVALID_INPUT"}'})
    assert not problems(found, {1: '{"targets":[]}'})

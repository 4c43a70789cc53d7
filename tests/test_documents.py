"""What the documents say of the files is true of them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_PATH = re.compile(
    r"`((?:app|storage|tests|docs|examples|\.ci|\.github)/[\w./-]*|(?:Makefile|setup\.cfg|\.pre-commit-config\.yaml))`"
)
_LINK = re.compile(r"\]\(((?!https?://|#)[^)#]+)")
_WORD = re.compile(r"- \*\*(?P<word>.+?)\*\*: .+ · `(?P<module>[\w/]+\.py)`")


@pytest.mark.parametrize("name", PAGES)
def test_each_file_that_is_named_is_there(name: str):
    page = ROOT / name
    text = page.read_text()
    missing = [path for path in _PATH.findall(text) if not (ROOT / path).exists()]
    links = [(page.parent / link).resolve() for link in _LINK.findall(text)]
    missing += [str(link) for link in links if not (link.exists() and link.is_relative_to(ROOT))]
    assert not missing


def test_the_architecture_tells_of_each_room():
    """Each package, and each module of storage that others lean on, has its place on the page."""
    text = (ROOT / "docs/architecture.md").read_text()
    rooms = {f"{path.parent.relative_to(ROOT)}/" for path in ROOT.glob("*/*/__init__.py")}
    rooms -= {room for room in rooms if room.startswith(("tests/", "."))}
    assert rooms
    assert not [room for room in rooms if f"`{room}`" not in text]


def test_the_glossary_has_a_line_a_word_in_alphabetical_order():
    lines = (ROOT / "docs/glossary.md").read_text().splitlines()
    entries = [line for line in lines if line.startswith("-")]
    matches = [_WORD.fullmatch(entry) for entry in entries]
    assert len(entries) > 50
    assert not [entry for entry, match in zip(entries, matches, strict=True) if match is None]
    words = [match["word"].lower() for match in matches if match]
    assert words == sorted(set(words))

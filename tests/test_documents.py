"""What the documents say of the files is true of them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_PATH = re.compile(r"`((?:app|storage|tests|docs)/[\w./-]*|Makefile|setup\.cfg)`")
_LINK = re.compile(r"\]\(((?!https?://|#)[^)#]+)")


@pytest.mark.parametrize("name", ["README.md", "docs/architecture.md", "docs/performance.md", "SECURITY.md"])
def test_each_file_that_is_named_is_there(name: str):
    page = ROOT / name
    text = page.read_text()
    missing = [path for path in _PATH.findall(text) if not (ROOT / path).exists()]
    missing += [link for link in _LINK.findall(text) if not (page.parent / link).exists()]
    assert not missing


def test_the_architecture_tells_of_each_room():
    """Each package, and each module of storage that others lean on, has its place on the page."""
    text = (ROOT / "docs/architecture.md").read_text()
    rooms = {f"{path.parent.relative_to(ROOT)}/" for path in ROOT.glob("*/*/__init__.py")}
    rooms -= {room for room in rooms if room.startswith(("tests/", "."))}
    assert rooms
    assert not [room for room in rooms if f"`{room}`" not in text]

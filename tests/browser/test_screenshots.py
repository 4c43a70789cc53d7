"""The pictures of the README."""

import re
import struct
from pathlib import Path

import pytest

from tests.browser import screenshots
from tests.browser.visits import NewPage
from tests.server import running

ROOT = Path(__file__).parents[2]
_LARGEST = 300 * 1024  # bytes


def size(picture: Path) -> tuple[int, int]:
    """Return the width and height of a PNG file."""
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.slow
def test_the_pictures_are_of_pages_of_the_demo(tmp_path: Path, new_page: NewPage):
    page = new_page("light", viewport=screenshots.VIEWPORT)
    with running(tmp_path / "data", workers="1") as server:
        pictures = screenshots.take(page, server, tmp_path / "data", tmp_path)
    assert [picture.name for picture in pictures] == ["target.png", "tree.png", "compare.png"]
    assert {size(picture) for picture in pictures} == {(1280, 860)}


def test_the_readme_shows_all_pictures_and_they_are_small():
    shown = re.findall(r"!\[[^]]+\]\(docs/images/(\w+)\.png\)", (ROOT / "README.md").read_text())
    assert sorted(shown) == sorted(screenshots.PICTURES)
    assert all((ROOT / f"docs/images/{name}.png").stat().st_size < _LARGEST for name in shown)

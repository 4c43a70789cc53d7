"""`make screenshots`: the pictures of the README, from the demo, on a server of their own."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, ViewportSize

from tests.browser.chromium import launched
from tests.browser.visits import sign_in
from tests.server import Server, environment, running

IMAGES = Path(__file__).parents[2] / "docs/images"
PICTURES = {
    "target": "targets/teacher_allergies",
    "tree": "tree",
    "compare": "compare/v1...production?prompt=mabel",
}
VIEWPORT: ViewportSize = {"width": 1280, "height": 860}


def take(page: Page, server: Server, data_dir: Path, folder: Path) -> list[Path]:
    """Make the demo in the data directory of a server, and a picture of each page; return the files."""
    command = [sys.executable, "-m", "app.cli", "demo"]
    said = subprocess.run(command, env=environment(data_dir), capture_output=True, text=True, check=True).stdout
    told = dict(re.findall(r"^(\w+): (.*)$", said, re.MULTILINE))
    repo = server.url + urlsplit(told["Address"]).path
    sign_in(page, server, told["Token"])
    return [_shoot(page, f"{repo}/{address}", folder / f"{name}.png") for name, address in PICTURES.items()]


def _shoot(page: Page, url: str, path: Path) -> Path:
    answer = page.goto(url, wait_until="networkidle")
    assert answer is not None
    assert answer.ok, url
    page.screenshot(path=path)
    return path


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server, launched() as browser:
        page = browser.new_page(color_scheme="light", viewport=VIEWPORT)
        for picture in take(page, server, Path(folder), IMAGES):
            print(f"{picture.relative_to(IMAGES.parents[1])}: {picture.stat().st_size // 1024} KiB")

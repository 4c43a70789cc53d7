"""`/docs`: the API page, in a real browser, and from an installed package."""

import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PROJECT = Path(__file__).parents[2]

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.mark.slow
@needs_chromium
def test_docs_page_shows_every_operation_in_a_browser(server: Server, tmp_path: Path):
    shown = subprocess.run(
        [
            str(CHROMIUM),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom"),
            f"{server.url}/docs",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    with urllib.request.urlopen(f"{server.url}/openapi.json") as response:
        document = response.read().decode()
    summaries = re.findall(r'"summary":"([^"]+)"', document)
    assert len(summaries) > 20
    for summary in summaries:
        assert summary in shown
    assert "Unable to render" not in shown


@pytest.mark.slow
def test_an_installed_package_serves_the_docs_page(tmp_path: Path):
    """Installed, as an operator does it: nothing of it may come from the checkout."""
    source = tmp_path / "source"
    shutil.copytree(PROJECT, source, ignore=shutil.ignore_patterns(".*", "tests", "build", "instance", "*.egg-info"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, str(tmp_path / "site"), str(source)], check=True, capture_output=True)
    script = """
import sys
sys.path = [sys.argv[1], *(entry for entry in sys.path if entry != sys.argv[2])]
from pathlib import Path
import app
from app.settings import Settings
assert app.__file__.startswith(sys.argv[1])
client = app.create_app(Settings(Path(sys.argv[1], "data"), master_key="key")).test_client()
page = client.get("/docs").text
for name in ("docs/docs.js", "docs/swagger-ui-bundle.js", "docs/swagger-ui.css", "docs/favicon-32x32.png"):
    assert name in page
    assert client.get("/" + name).status_code == 200, name
assert client.get("/openapi.json").json["components"]["responses"]["Error404"]["content"]["application/json"]["example"]
assert client.get("/docs/docs.html").status_code == 404
assert client.get("/docs/..%2f__init__.py").status_code == 404
"""
    arguments = [sys.executable, "-c", script, str(tmp_path / "site"), str(PROJECT)]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

"""`/docs`: the API page, from an installed package."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


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
for name in ("docs.css", "docs.js", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
    assert f"docs/{name}" in page
    assert client.get(f"/docs/{name}").status_code == 200, name
assert client.get("/openapi.json").json["components"]["responses"]["Error404"]["content"]["application/json"]["example"]
assert client.get("/docs/docs.html").status_code == 404
assert client.get("/docs/..%2f__init__.py").status_code == 404
"""
    arguments = [sys.executable, "-c", script, str(tmp_path / "site"), str(PROJECT)]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

"""Every example in the README does what it says."""

import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import needs_curl
from tests.server import MASTER_KEY, environment, running

README = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@needs_curl
def test_the_examples_in_their_order(tmp_path: Path):
    data_dir = tmp_path / "data"
    with running(data_dir) as server:
        shell = "\n".join(blocks("sh")).replace(".venv/bin/bakehouse", f"{sys.executable} -m app.cli")
        python = "import os\nTOKEN = os.environ['TOKEN']\n" + "\n".join(blocks("python"))
        (tmp_path / "example.py").write_text(python.replace("http://127.0.0.1:8080", server.url))
        script = shell.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
        script += f"\nTOKEN=$TOKEN {sys.executable} -W ignore example.py\n"
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment(data_dir, port=str(server.port))
            | {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    for said in (
        '"clone_url":"',
        '{"target_name":"coding_target","config":{"teacher_prompt":"system_prompt_v1"',
        "template: coding_target",
        "temperature: 0.7 → 1.5",
        "Author: Alice <alice@example.org>",
        '{"created":["sweep_02","sweep_08"],"failed":{}}',
        '"field":"/temperature","value":1.5,"layer":"overrides","name":"bold_target"',
        '"target_name":"bold_target","depth":1,"template":"coding_target","state":"drifted"',
        '{"dry_run":true,"targets":[{"target_name":"bold_target"',
        '{"name":"release-1","commit":"',
        '"action":"deleted","version":null',
        "-  max_tokens: 300\n+  temperature: 1.5",
        "nightly\tread\tdemo\t",
        '{"user_id":"bob","access":"read"}',
        '{"target_name":"bold_target","config":',
        "['bold_target', 'calm_target', 'coding_target', 'sweep_02', 'sweep_08']",
    ):
        assert said in done.stdout, done.stdout
    assert '"code":"' not in done.stdout
    assert "Nothing found." in done.stderr
    assert MASTER_KEY not in done.stdout + done.stderr


def test_the_commands_and_settings_exist():
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for command in re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command
    settings = (Path(__file__).parents[2] / "app/settings.py").read_text()
    named = set(re.findall(r"BAKEHOUSE_\w+", README))
    assert named == set(re.findall(r'"(BAKEHOUSE_[A-Z_]+)"', settings))

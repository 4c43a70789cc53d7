"""The examples of the documents: find them, run them, and compare the output with what the page shows.

A block of `sh` or `python` is run. Where a block of one of the languages in `ANSWERS` follows, the output
must be as shown there: `…` stands for the rest of a line or text, alone in a line for any lines, in a list
of JSON for any items, and as a name in an object for any further names. Ids that are cut to seven digits,
`1a2b3c4…`, match any id, and times match any time. Of a message of a model only the names of the fields must be
as shown, since another machine's model finds other words. A block that cannot be run has one of the languages in
`NOT_RUN`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import models
from tests.server import environment, running

ROOT = Path(__file__).parents[2]
URL = "http://127.0.0.1:8080"  # where the pages say that the server listens
MODEL_URL = "http://127.0.0.1:8000/v1"  # and a model's server

RUN = ("sh", "python")
ANSWERS = ("json", "http", "yaml", "diff", "output")  # what the block before them prints
NOT_RUN = ("text", "ini", "console")  # pictures, files of an operator, commands for the reader's own machine
LANGUAGES = (*RUN, *ANSWERS, *NOT_RUN)

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_MARK = "--- the block at line"
_CUT_ID, _ID = re.compile("[0-9a-f]{7}…"), re.compile("[0-9a-f]{40}")
_VARYING = (
    # YAML has quotes around an id that starts with a digit
    (re.compile(r"'?\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b'?|'?\b[0-9a-f]{7}…'?"), "<id>"),
    (re.compile(r"\b[0-9a-f]{7,}\.\.[0-9a-f]{7,}\b"), "<id>..<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)"), "<time>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"\b[A-Z][a-z]{2} [A-Z][a-z]{2} \d+ \d\d:\d\d:\d\d \d{4} \+0000"), "<time>"),
    (re.compile(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"), "<time>"),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the line at which it begins."""

    line: int
    language: str
    text: str


def pages() -> list[str]:
    """Return the pages that readers find, by their paths in the checkout."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = (ROOT / page).read_text()
    return [
        Block(text.count("\n", 0, match.start()) + 1, match["language"], _without_indent(match))
        for match in _FENCE.finditer(text)
    ]


def run(found: list[Block], folder: Path) -> dict[int, str]:
    """Run the blocks that can be run, against a fresh server; return what each printed, by its line.

    Every block runs in the same shell in the same folder, so later blocks may use what earlier ones made.
    AssertionError if a command fails.
    """
    data_dir = folder / "instance"
    install_commands(folder)
    (folder / "examples").symlink_to(ROOT / "examples")
    with running(data_dir, master_key="", run_workers="1") as server, _model(found) as model_url:
        addresses = {URL: server.url, URL.removeprefix("http://"): f"127.0.0.1:{server.port}", MODEL_URL: model_url}
        script = "\n".join(_command(block, folder, addresses) for block in found if block.language in RUN)
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", f"exec 2>&1\n{script}"],
            cwd=folder,
            env=environment(data_dir, port=str(server.port), master_key="")
            | {"HOME": str(folder), "PYTHONPATH": str(ROOT), "GIT_TERMINAL_PROMPT": "0", "TZ": "UTC"},
            stdout=subprocess.PIPE,
            text=True,
            timeout=300,
        )
        said = done.stdout.replace(f"127.0.0.1:{server.port}", "127.0.0.1:8080").replace("\r\n", "\n")
    assert done.returncode == 0, said
    assert (data_dir / "master.key").read_text().strip() not in said
    parts = re.split(rf"^{_MARK} (\d+)\n", said, flags=re.MULTILINE)[1:]
    return {int(line): printed for line, printed in zip(parts[::2], parts[1::2], strict=True)}


@contextmanager
def _model(found: list[Block]) -> Iterator[str]:
    """Serve a model for the blocks that name its address; skip the test where there is none for this machine."""
    if not any(MODEL_URL in block.text for block in found if block.language in RUN):
        yield MODEL_URL
        return
    with models.serving() as url:
        yield url


def install_commands(folder: Path) -> None:
    """Put the commands that a checkout has in `.venv/bin` there in a folder, too."""
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for name, arguments in (("bakehouse", "-m app.cli"), ("python", "-W error")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)


def problems(found: list[Block], printed: dict[int, str]) -> list[str]:
    """Return what a page shows and the server does not say, and errors that the page does not show."""
    wrong = []
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.language not in RUN:
            continue
        said = printed[block.line]
        if following is not None and following.language in ANSWERS:
            if not is_same(following, said):
                wrong.append(f"line {following.line} shows\n{following.text}but the answer is\n{said}")
        elif re.search(r'"(code|detail)": ?["\[]', said):
            wrong.append(f"line {block.line} is answered with an error:\n{said}")
    return wrong


def is_same(shown: Block, said: str) -> bool:
    """Tell whether an output is as shown, but for ids and times, and for what an ellipsis leaves out."""
    if shown.language != "json":
        return _matches(_tidy(shown.text), _tidy(said))
    try:
        return _is_same_json(json.loads(shown.text), json.loads(said))
    except ValueError:
        return False


def _is_same_json(shown: Any, real: Any) -> bool:
    if isinstance(shown, str) and isinstance(real, str):
        return _matches(shown, real)
    if isinstance(shown, dict) and isinstance(real, dict):
        if shown.get("role") == real.get("role") == "assistant":
            shown, real = dict.fromkeys(shown), dict.fromkeys(real)
        ids = {name for name in shown if _CUT_ID.fullmatch(name)}
        wanted, named = shown.keys() - {"…"} - ids, {name for name in real if not ids or not _ID.fullmatch(name)}
        same_names = wanted <= named if "…" in shown else (wanted, len(shown)) == (named, len(real))
        return (
            same_names
            and all(_is_same_json(_sorted(name, shown), _sorted(name, real)) for name in wanted)
            and all(any(_is_same_json(shown[name], real[other]) for other in real.keys() - named) for name in ids)
        )
    if isinstance(shown, list) and isinstance(real, list):
        return _is_same_list(shown, real)
    return type(shown) is type(real) and bool(shown == real)


def _sorted(name: str, answer: dict[str, Any]) -> Any:
    """Return a value of an answer, the mistakes of a request in one order, which the API does not promise."""
    return sorted(answer[name], key=str) if name == "detail" else answer[name]


def _is_same_list(shown: list[Any], real: list[Any]) -> bool:
    if not shown or shown == real:
        return shown == real
    if shown[0] == "…":
        return any(_is_same_list(shown[1:], real[start:]) for start in range(len(real) + 1))
    return bool(real) and _is_same_json(shown[0], real[0]) and _is_same_list(shown[1:], real[1:])


def _matches(shown: str, real: str) -> bool:
    """Tell whether a text is as shown: `…` stands for the rest of a line, or alone in a line for lines."""
    for pattern, name in _VARYING:
        shown, real = pattern.sub(name, shown), pattern.sub(name, real)
    wanted = re.escape(shown)
    wanted = re.sub(r"(?m)^…\\\n", "(?:.*\n)*", wanted).replace("…", ".*")
    return re.fullmatch(wanted, real) is not None


def _tidy(text: str) -> str:
    """Return a text without blank space at the ends of its lines, which nobody sees on a page."""
    return "".join(f"{line.rstrip()}\n" for line in text.strip().splitlines())


def _command(block: Block, folder: Path, addresses: Mapping[str, str]) -> str:
    text = block.text
    for shown, real in addresses.items():
        text = text.replace(shown, real)
    if block.language == "python":
        path = folder / f"line-{block.line}.py"
        path.write_text(text)
        text = f".venv/bin/python {path.name}\n"
    return f"printf '\\n%s\\n' '{_MARK} {block.line}'\n{text}"


def _without_indent(match: "re.Match[str]") -> str:
    return re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)

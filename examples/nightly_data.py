#!/usr/bin/env python3
"""Carry out targets, and keep the answers of their models as lines for fine-tuning.

    pip install aibread
    export BREAD_BASE_URL=http://127.0.0.1:8080 BREAD_API_KEY=<token>
    python examples/nightly_data.py demo /data coding_target math_target

This makes the stim and the rollout of each target, waits for both, and leaves a file such as
/data/coding_target-1f0c5a7e9b3d.jsonl. The name has the start of the run's key, so a target that changed has another
file. Where nothing changed, no model is asked, and the file stays as it is. The script prints the files. It says why
where a target cannot be carried out, goes on with the next one, and ends with status 1.
"""

import argparse
import os
import shutil
import sys
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from aibread import APIError, Bread


class NotComplete(Exception):
    """A run failed, or left samples without an answer."""


def main() -> None:
    """Carry out each target, and print the name of its file."""
    options = read_arguments()
    is_all_done = True
    with Bread() as bread:  # reads BREAD_BASE_URL and BREAD_API_KEY
        for target in options.targets:
            try:
                print(carry_out(bread, options.repo, target, options.folder), flush=True)
            except (NotComplete, APIError, HTTPException, OSError) as error:
                print(f"{target}: {error}", file=sys.stderr)
                is_all_done = False
    sys.exit(0 if is_all_done else 1)


def read_arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description="Carry out targets, and keep their data.")
    parser.add_argument("repo")
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("targets", nargs="+")
    return parser.parse_args()


def carry_out(bread: Bread, repo: str, target: str, folder: Path) -> Path:
    """Make the stim and the rollout of a target; return the file with its data."""
    for run in (bread.targets.stim.run, bread.targets.rollout.run):
        made = run(target, repo_name=repo).to_dict()  # waits until the run is over
        if made["status"] != "complete":
            raise NotComplete(f"{made['status']}: {made['error']}")
    if made["failed_rows"]:
        print(f"{target}: {made['failed_rows']} of {made['lines']} samples have no answer", file=sys.stderr)
    file = folder / f"{target}-{made['key'][:12]}.jsonl"
    if not file.exists():
        download(f"/v1/repo/{repo}/targets/{target}/rollout/rows?format=openai&ref={made['commit']}", file)
    return file


def download(path: str, file: Path) -> None:
    """Write an answer to a file, which has this name only once it is whole."""
    request = Request(  # noqa: S310 (the address is the user's own)
        f"{os.environ['BREAD_BASE_URL']}{path}", headers={"Authorization": f"Bearer {os.environ['BREAD_API_KEY']}"}
    )
    part = file.with_suffix(".part")
    with urlopen(request, timeout=600) as response, part.open("wb") as written:  # noqa: S310
        shutil.copyfileobj(response, written)
    part.rename(file)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Make one target for each combination of temperature and max_tokens, in one commit, and tag the commit.

    pip install aibread
    export BREAD_BASE_URL=http://127.0.0.1:8080 BREAD_API_KEY=<token>
    python examples/sweep.py demo coding_target november --temperatures 0.2 0.8 --max-tokens 150 300

This makes the targets `november-t0.2-m150` to `november-t0.8-m300` from the template `coding_target`, and the
tag `november`. All targets are made, or none. A second run changes nothing. Where one of these targets
exists with another configuration, the script stops.
"""

import argparse
import sys
from itertools import product
from typing import Any

from aibread import APIStatusError, Bread, ConflictError


def main() -> None:
    """Make the sweep, and print the names of its targets."""
    options = read_arguments()
    targets = [
        {
            "target_name": f"{options.name}-t{temperature}-m{max_tokens}",
            "template": options.template,
            "overrides": {"temperature": temperature, "max_tokens": max_tokens},
        }
        for temperature, max_tokens in product(options.temperatures, options.max_tokens)
    ]
    with Bread() as bread:  # reads BREAD_BASE_URL and BREAD_API_KEY
        try:
            check(bread, options.repo, targets)
            failed = bread.targets.create_batch(options.repo, targets=targets).failed
        except APIStatusError as error:
            sys.exit(f"Nothing was made. {error.message}")
        if failed:
            sys.exit(f"These were not made: {failed}")
        tag(bread, options.repo, options.name)
    for target in targets:
        print(target["target_name"])


def read_arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description="Make a sweep of targets in one commit.")
    parser.add_argument("repo")
    parser.add_argument("template", help="the target, or `default`, that the sweep starts from")
    parser.add_argument("name", help="how the targets' names begin, and the name of the tag")
    parser.add_argument("--temperatures", type=float, nargs="+", required=True)
    parser.add_argument("--max-tokens", type=int, nargs="+", required=True)
    return parser.parse_args()


def check(bread: Bread, repo: str, targets: list[dict[str, Any]]) -> None:
    """Let the server resolve each target without writing, since a batch skips targets that are wrong."""
    for target in targets:
        asked = {"template": target["template"], "overrides": target["overrides"]}
        bread.post(f"/v1/repo/{repo}/targets/preview", cast_to=object, body=asked)


def tag(bread: Bread, repo: str, name: str) -> None:
    """Tag the newest commit, unless the tag was made by an earlier run."""
    try:
        bread.post(f"/v1/repo/{repo}/tags", cast_to=object, body={"name": name})
    except ConflictError:
        print(f"The tag '{name}' exists already, and stays where it is.", file=sys.stderr)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Say who changed a field of a target, where its value comes from, and what the value was at a time.

    export BREAD_BASE_URL=http://127.0.0.1:8080 BREAD_API_KEY=<token>
    python examples/audit.py demo coding_target temperature
    python examples/audit.py demo coding_target temperature --at 2026-11-23T10:00:00Z

A token for reading is enough. Only Python is needed.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen


def main() -> None:
    """Answer the three questions."""
    options = read_arguments()
    path = f"/v1/repo/{options.repo}/targets/{options.target}"
    field = "/" + options.field.lstrip("/")
    try:
        print(f"Who changed {field}?")
        for line in changes(path, field):
            print(f"  {line}")
        print("Where does the value come from?")
        for line in origins(path, field):
            print(f"  {line}")
        if options.at:
            config = get(path, ref=options.at)["config"]
            print(f"What was in force at {options.at}?")
            print(f"  {json.dumps(config.get(options.field.lstrip('/')))}")
    except HTTPError as error:
        sys.exit(f"{error.url} was answered with {error.code}: {error.read().decode().strip()}")


def read_arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description="Audit a field of a target.")
    parser.add_argument("repo")
    parser.add_argument("target")
    parser.add_argument("field", help="a field of the config, such as temperature")
    parser.add_argument("--at", metavar="TIME", help="a time, a tag, or a commit")
    return parser.parse_args()


def changes(path: str, field: str) -> Iterator[str]:
    """Yield a line for each commit that changed the field, newest first."""
    before = None
    while True:
        page = get(f"{path}/history", before=before)
        for commit in page["commits"]:
            for change in commit["changes"] or ():
                if change["field"] == field:
                    old, new = (json.dumps(change.get(side)) for side in ("old", "new"))
                    who = f"{commit['author']['name']} <{commit['author']['email']}>"
                    yield f"{commit['time']}  {who}  {old} → {new}  ({commit['commit'][:7]})"
        before = page["next"]
        if before is None:
            return


def origins(path: str, field: str) -> Iterator[str]:
    """Yield a line for the layer that set the field, and one for each layer below that has another value."""
    explained = get(f"{path}/explain")
    for found in explained["fields"] + explained["removed"]:
        if found["field"] == field:
            yield f"{json.dumps(found['value'])} was set by {found['name']}, in {found['commit'][:7]}"
            for beaten in found["beaten"]:
                yield f"{json.dumps(beaten['value'])} of {beaten['name']} does not count"


def get(path: str, **query: str | None) -> Any:
    """Return the answer to a GET."""
    given = urlencode({name: value for name, value in query.items() if value is not None})
    request = Request(  # noqa: S310 (the address is the user's own)
        f"{os.environ['BREAD_BASE_URL']}{path}?{given}",
        headers={"Authorization": f"Bearer {os.environ['BREAD_API_KEY']}"},
    )
    with urlopen(request, timeout=60) as response:  # noqa: S310
        return json.load(response)


if __name__ == "__main__":
    main()

"""All pages by the routes of an application, so that no test forgets a new one."""

from collections.abc import Iterable, Mapping

from flask import Flask
from werkzeug.routing import Rule

_OPEN = ("web.static",)
# What the names in addresses are in a repo that tests look at.
NAMES = {
    "owner": "alice",
    "user_id": "bob",
    "repo_name": "demo",
    "target_name": "nightly",
    "prompt_name": "system",
    "label_name": "production",
    "tag_name": "v1",
    "file_name": "ask.txt",
    "token_name": "reader",
    "run_key": "0" * 64,
    "kind": "stim",
    "position": "0",
    "a": "v1",
    "b": "production",
    "row_file": "rows.csv",
    "act": "revoke",
    "id_": "0",
}
# By the end of a route: what a page is asked for, where it shows nothing without, or something else.
_QUERIES = {
    "/search": ("?q=bread",),
    "/put-back": ("?to=v1",),
    "/compare/<a>...<b>": ("", "?target=base", "?prompt=system", "?target=base&view=text"),
}


def rules(app: Flask, method: str) -> list[Rule]:
    """Return the routes of pages that take a method."""
    pages = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("web.")]
    found = [rule for rule in pages if method in rule.methods and rule.endpoint not in _OPEN]
    assert len(found) > 1
    return found


def address(rule: Rule, names: Mapping[str, str]) -> str:
    """Return the address of a page, with examples of the names in it."""
    missing = rule.arguments - names.keys()
    assert not missing, f"{rule}: add examples of {sorted(missing)} to `NAMES`"
    built = rule.build({name: names[name] for name in rule.arguments})
    assert built, f"{rule}: no address has {names}"
    return built[1]


def addresses(rules: Iterable[Rule], names: Mapping[str, str]) -> list[str]:
    """Return the addresses of pages, with the query that a page needs to show something."""
    found = []
    for rule in rules:
        queries = next((asked for end, asked in _QUERIES.items() if rule.rule.endswith(end)), ("",))
        found += [address(rule, names) + query for query in queries]
    return found

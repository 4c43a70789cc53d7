"""The fields of an entry in the file of endpoints, and what each must be. No message repeats an address or a key."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from app.domain.names import enumerated
from app.settings import SettingsError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS = re.compile(r"[!-~]+")
_MOST_CONCURRENCY = 10_000
_MOST_A_MINUTE = 1_000_000
_MOST_SECONDS = 3600
_LARGEST = 1e15  # of the numbers that are no infinity, and that a price of a token can be reckoned with
_PRICES = ("input", "output")


class EndpointsInvalid(SettingsError):
    """The endpoints cannot be used; the message says which entry and field is wrong, and what it must be."""


def checked(number: int, entry: Any) -> dict[str, Any]:
    """Return the fields of an endpoint from the entry at a place, counted from 1; EndpointsInvalid if one is wrong."""
    if not isinstance(entry, dict):
        raise EndpointsInvalid(f"entry {number} must have fields, such as name, base_url and models.")
    name = entry.get("name")
    where = f"entry {number} ('{name}')" if _is_name(name) else f"entry {number}"
    unknown = [field if isinstance(field, str) else "(no text)" for field in entry if field not in _RULES]
    if unknown:
        hint = (
            " A key is never in the file: api_key_env names the variable that has it." if "api_key" in unknown else ""
        )
        raise EndpointsInvalid(f"{where}: there is no field {enumerated(unknown)}.{hint}")
    if missing := [field for field in ("name", "base_url", "models") if field not in entry]:
        raise EndpointsInvalid(f"{where}: {enumerated(missing)} is missing.")
    for field, value in entry.items():
        if wrong := problem(field, value):
            raise EndpointsInvalid(f"{where}: {field} {wrong}.")
    return _endpoint(entry)


def problem(field: str, value: Any) -> str | None:
    """Return what a field must be, if it is not."""
    is_right, rule = _RULES[field]
    return None if is_right(value) else f"must be {rule}"


def _endpoint(entry: Mapping[str, Any]) -> dict[str, Any]:
    fields = {field: value for field, value in entry.items() if field != "prices"}
    fields |= {"base_url": entry["base_url"].rstrip("/"), "models": tuple(entry["models"])}
    return fields | {f"{kind}_price": price for kind, price in entry.get("prices", {}).items()}


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        return False
    try:
        url = urlsplit(value)
        has_host = bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:  # a port that is none
        return False
    return url.scheme in ("http", "https") and has_host and "@" not in url.netloc and not {"?", "#"} & set(value)


def _are_patterns(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _is_variable(value: Any) -> bool:
    return isinstance(value, str) and _VARIABLE.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _whole(least: int, most: int) -> tuple[Callable[[Any], bool], str]:
    return lambda value: type(value) is int and least <= value <= most, f"a whole number from {least} to {most}"


def _are_prices(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(kind in _PRICES for kind in value)
        and all(_is_number(price) and price >= 0 for price in value.values())
    )


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_name, "1 to 100 letters, digits, '.', '_' and '-'"),
    "base_url": (_is_url, "an address such as https://models.example.org/v1, without user, password, '?' and '#'"),
    "models": (_are_patterns, "a list of names of models, in which * stands for any letters"),
    "api_key_env": (_is_variable, "the name of the environment variable that has the key"),
    "max_concurrency": _whole(1, _MOST_CONCURRENCY),
    "requests_per_minute": _whole(0, _MOST_A_MINUTE),
    "timeout": (
        lambda value: _is_number(value) and 0 < value <= _MOST_SECONDS,
        f"a number of seconds up to {_MOST_SECONDS}",
    ),
    "prices": (_are_prices, "the prices of a million tokens, as 'input' and 'output'"),
    "takes_seed": (lambda value: isinstance(value, bool), "true or false"),
}

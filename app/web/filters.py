"""How values look on pages: times, commits, JSON, YAML."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from flask import Flask
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from app.domain import cutting, field_paths
from app.web import words
from storage import moments

_SHORT = 7  # digits of a commit's id
_START = 1000  # characters of a value that is cut
_LONGEST = 200_000  # characters of a text that a page shows, or colours


def install(app: Flask) -> None:
    """Add the filters to the templates of an application."""
    app.jinja_env.filters |= {
        "moment": moment,
        "short": short,
        "json": as_json,
        "colored": colored,
        "start": start,
        "dotted": dotted,
        "cut": cut,
    }
    app.jinja_env.globals["marked"] = words.marked


def moment(value: int | datetime) -> Markup:
    """Return a moment, in microseconds since 1970 or as a time, for a person and for a machine, in UTC."""
    time = (moments.at(value) if isinstance(value, int) else value).astimezone(UTC)
    precise = time.isoformat().replace("+00:00", "Z")
    text = precise[:16].replace("T", " ")
    return Markup(f'<time datetime="{precise}" title="{precise}">{text}</time>')  # noqa: S704 — digits and signs


def short(commit: str) -> str:
    """Return the first digits of a commit's id."""
    return commit[:_SHORT]


def as_json(value: Any) -> str:
    """Return a value as JSON on several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2)


class Cut(NamedTuple):
    """The start of a long value, and how long the whole is: in bytes of JSON unless said otherwise."""

    start: str
    length: int


def cut(value: Any) -> Cut | None:
    """Return the start of a value that is too long for a page; None for one that is not."""
    if isinstance(value, str) and len(value) * 4 < cutting.LONGEST:  # no character takes more than four bytes
        return None
    length = cutting.size_of(value)
    if length <= cutting.LONGEST:
        return None
    return Cut((value if isinstance(value, str) else as_json(value))[:_START], length)


def start(text: str) -> Cut | None:
    """Return the start of a text that is too long for a page; None for one that is not. The length is in characters."""
    return Cut(text[:_LONGEST], len(text)) if len(text) > _LONGEST else None


def dotted(pointer: str) -> str:
    """Return a JSON Pointer as people write it: `generators.0.numq`. One with dots in a name stays as it is."""
    keys = field_paths.keys_of(pointer)
    return pointer if any("." in key or not key for key in keys) else ".".join(keys)


@lru_cache(maxsize=256)
def colored(text: str, language: str) -> Markup:
    """Return text with marks for the colours of a language: `yaml`, `json`, `diff`, `bash` or `python`."""
    if len(text) > _LONGEST:
        return Markup('<pre class="code" tabindex="0">{}</pre>').format(text)
    lexer = get_lexer_by_name(language, stripnl=False)
    marked: str = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return Markup('<pre class="code" tabindex="0">{}</pre>').format(Markup(marked))  # noqa: S704 — Pygments escapes

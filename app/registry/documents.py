"""Canonical YAML: the same data gives the same bytes, and reading gives back exactly the data.

Strings that any YAML reader might take for something else (`no`, `1e3`, `2024-01-01`) are quoted;
text of several lines is a literal block where that loses nothing.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import yaml

from storage.errors import RepositoryDamaged
from storage.snapshot import File

T = TypeVar("T")

# A line that a literal block keeps as it is: printable, no blank space at its ends; or empty.
_VISIBLE = r"!-~\u00a1-\u2027\u202a-\ud7ff"
_LITERAL_LINE = re.compile(rf"(?:[{_VISIBLE}](?:[ {_VISIBLE}]*[{_VISIBLE}])?)?")
# What YAML 1.2 or an older reader takes for a number or a boolean and PyYAML does not.
_AMBIGUOUS = re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|[yYnN])\Z")


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 — PyYAML's hook
        return True  # the same list in `overrides` and `config` is written twice, not as `*id001`


def _represent_str(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if _is_literal(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_literal(text: str) -> bool:
    if "\n" not in text or text.startswith("\n") or text.endswith("\n\n"):
        return False
    return all(_LITERAL_LINE.fullmatch(line) for line in text.split("\n"))


_Dumper.add_representer(str, _represent_str)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _AMBIGUOUS, list("-+.0123456789yYnN"))


def dump(document: Mapping[str, Any]) -> bytes:
    """Return a document's bytes: block style, UTF-8, LF, keys in the order given."""
    text: bytes = yaml.dump(
        dict(document),
        Dumper=_Dumper,
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=True,
        width=2**20,
        encoding="utf-8",
    )
    return text


@lru_cache(maxsize=4096)
def load(data: bytes) -> Mapping[str, Any]:
    """Return the document in some bytes; ValueError if there is none.

    Pure, hence cached: callers must not change what they get.
    """
    try:
        document = yaml.load(data, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from error
    if not isinstance(document, dict):
        raise ValueError("not a YAML mapping")
    return document


class Source(Protocol):
    """Where documents are read from: a snapshot, or a transaction."""

    @property
    def name(self) -> str:
        """The repository's name."""

    def read(self, path: str) -> File | None:
        """Return a file, or None."""


def read(source: Source, path: str) -> tuple[Mapping[str, Any], str] | None:
    """Return a file's document and its blob id, or None; RepositoryDamaged if it holds no document."""
    file = source.read(path)
    if file is None:
        return None
    try:
        return load(file.data), file.id
    except ValueError as error:
        raise RepositoryDamaged(source.name, f"{path} is not a document that Bakehouse wrote") from error


def expect(document: Mapping[str, Any], field: str, kind: type[T], source: Source, path: str) -> T:
    """Return a document's field; RepositoryDamaged if it is not there or of another kind."""
    value = document.get(field)
    if not isinstance(value, kind):
        raise RepositoryDamaged(source.name, f"{path} has no {field}")
    return value

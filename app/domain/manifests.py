"""The manifest of a run that is complete: what went into the run, how many rows came out, and the rows' SHA-256.

Each is a file of the repo. So a clone tells which data came from which commit.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from app.domain import canonical_json
from app.domain.names import target_name_problem

Kind = Literal["stim", "rollout"]

FOLDER = "runs"
KINDS: tuple[Kind, ...] = get_args(Kind)
FORM = "runs/<target>/<kind>-<the first 12 digits of the key>.yml"

_SHORT = 12  # digits of a key in a path
_PATH = re.compile(rf"{FOLDER}/([^/]+)/({'|'.join(KINDS)})-([0-9a-f]{{{_SHORT}}})\.yml")

_Check = tuple[Callable[[object], bool], str]  # of a value, and what the value must be


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a run. Its author is the author of the commit that wrote the file.

    `commit` is the commit whose target was carried out. `inputs` is all that went into the run, as JSON; `key` is the
    SHA-256 of its canonical JSON. `rows_sha256` is that of all rows as canonical JSON Lines. Of the `rows`, `failed`
    have an error in place of an answer, `truncated` were cut at the limit of tokens, and `empty` have no text.
    """

    kind: Kind
    target: str
    key: str
    commit: str
    rows: int
    rows_sha256: str
    failed: int
    truncated: int
    empty: int
    tokens_in: int
    tokens_out: int
    inputs: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Return the path of its file in the repo."""
        return path_of(self.target, self.kind, self.key)

    def document(self) -> Mapping[str, Any]:
        """Return the content of its file."""
        return asdict(self)


def path_of(target: str, kind: Kind, key: str) -> str:
    """Return the path of the manifest of a run."""
    return f"{FOLDER}/{target}/{kind}-{key[:_SHORT]}.yml"


def name_of(path: str) -> str | None:
    """Return the name of the run whose manifest is at a path, `<target>/<kind>-<key>`; None where no run has one there.

    The key is its first 12 digits.
    """
    match = _PATH.fullmatch(path)
    return f"{match[1]}/{match[2]}-{match[3]}" if match and target_name_problem(match[1]) is None else None


def parse(document: Mapping[str, Any]) -> Manifest:
    """Return the manifest that a document holds; ValueError with a sentence where it holds none."""
    problem = _fields_problem(document) or _values_problem(document)
    if problem:
        raise ValueError(problem)
    return Manifest(**document)


def _fields_problem(document: Mapping[str, Any]) -> str | None:
    missing = [name for name in _CHECKS if name not in document]
    unknown = [name for name in document if name not in _CHECKS]
    if missing:
        return f"it has no {missing[0]}"
    return f"no manifest has a field {unknown[0]!r}" if unknown else None


def _values_problem(document: Mapping[str, Any]) -> str | None:
    for name, (check, what) in _CHECKS.items():
        if not check(document[name]):
            return f"its {name} must be {what}"
    try:
        key = canonical_json.digest(document["inputs"])
    except ValueError:
        return "its inputs hold what JSON cannot say"
    if document["key"] != key:
        return f"its key is not the SHA-256 of its inputs, which is {key}"
    beyond = [name for name in ("failed", "truncated", "empty") if document[name] > document["rows"]]
    return f"it counts more {beyond[0]} rows than rows" if beyond else None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_target(value: object) -> bool:
    return isinstance(value, str) and target_name_problem(value) is None


def _hex_digits(count: int) -> _Check:
    digits = re.compile(f"[0-9a-f]{{{count}}}")
    return lambda value: isinstance(value, str) and bool(digits.fullmatch(value)), f"{count} hex digits"


_COUNT: _Check = (_is_count, "a whole number, 0 or more")
_CHECKS: Mapping[str, _Check] = {
    "kind": (lambda value: value in KINDS, " or ".join(KINDS)),
    "target": (_is_target, "the name of a target"),
    "key": _hex_digits(64),
    "commit": _hex_digits(40),
    "rows": _COUNT,
    "rows_sha256": _hex_digits(64),
    "failed": _COUNT,
    "truncated": _COUNT,
    "empty": _COUNT,
    "tokens_in": _COUNT,
    "tokens_out": _COUNT,
    "inputs": (lambda value: isinstance(value, dict), "an object"),
}

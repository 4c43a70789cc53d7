"""What a search looks at in a repo: for each kind of thing the names, and the texts of each thing."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import NamedTuple

from app.domain.differences import Keys, pointer
from app.domain.errors import NotFound
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import CONFIG_FIELDS, Config
from app.domain.text_search import Snippet, Wanted, beginning, texts
from app.registry import labels, repos
from app.registry.configs import defaults, prompts
from app.registry.configs.target_rows import Lines, Row, Rows, value_of
from storage.ids import CommitId
from storage.log_filter import LogFilter
from storage.repository import Repository
from storage.signatures import Signature
from storage.snapshot import File, Snapshot

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHOWN = 3  # matches in one thing
_LONGEST_FIELD = 100  # characters
_LEAST_READ = 128  # bytes that a small target counts as: most of its lines were parsed for another one
_FREE = "extra_kwargs"  # the field whose names are the user's own


class Kind(StrEnum):
    """The kinds of things that are found."""

    REPOS = "repos"
    TARGETS = "targets"
    PROMPTS = "prompts"
    LABELS = "labels"
    TAGS = "tags"
    REASONS = "reasons"


@dataclass(frozen=True, slots=True)
class Scope:
    """A repo that is searched, at a commit."""

    owner: str
    repository: Repository
    snapshot: Snapshot


class Match(NamedTuple):
    """Where a text was found: the field, and the part of the field's text."""

    field: str
    snippet: Snippet


class Matches(NamedTuple):
    """The first matches in a thing, and how many more there are."""

    first: tuple[Match, ...] = ()
    more: int = 0

    def and_(self, others: "Matches") -> "Matches":
        """Return these matches and others."""
        everything = (*self.first, *others.first)
        return Matches(everything[:_SHOWN], self.more + others.more + len(everything[_SHOWN:]))


class Thing(NamedTuple):
    """A thing that can be found: what it costs to look at, in bytes, and how to look at it.

    A reason has the id and the signature of its commit.
    """

    name: str
    cost: int
    look: Callable[[], Matches]
    signature: Signature | None = None


def things(kind: Kind, scope: Scope, wanted: Wanted, after: str, most: int) -> Iterator[Thing]:
    """Yield the things of a kind behind one of them, in their order: by name, and commits from the newest back.

    Of commits, only those are yielded whose reasons have the text, `most` at most. RepositoryDamaged where a file is
    damaged.
    """
    if kind is Kind.REASONS:
        return _reasons(scope, wanted, after, most)
    return _OTHERS[kind](scope, wanted, after)


def _repo(scope: Scope, wanted: Wanted, after: str) -> Iterator[Thing]:
    if not after:
        repo = repos.describe(scope.snapshot, scope.owner)
        named = [(("name",), repo.name), (("base_model",), repo.base_model or "")]
        yield Thing(repo.name, 0, partial(_matches, wanted, named))


def _targets(scope: Scope, wanted: Wanted, after: str) -> Iterator[Thing]:
    """Yield the default, and then the targets by name: no target has the name of the default."""
    if not after:
        default = defaults.get(scope.snapshot)
        found = _named(wanted, DEFAULT_TEMPLATE)
        yield Thing(DEFAULT_TEMPLATE, 0, lambda: found.and_(_in_config(wanted, default.config)))
    rows = Rows(scope.repository, scope.snapshot)
    begin = "" if after == DEFAULT_TEMPLATE else after
    names = [name for name in rows.files if name > begin and name != DEFAULT_TEMPLATE]
    known: dict[tuple[int, Lines], Matches] = {}
    for name, row in rows.read(names):
        new = sum(len(lines) for at, lines in enumerate(row.lines) if lines and (at, lines) not in known)
        cost = max(row.size // 4, _LEAST_READ) + new
        yield Thing(name, cost, partial(_in_row, wanted, name, row, known))


def _in_row(wanted: Wanted, name: str, row: Row, known: dict[tuple[int, Lines], Matches]) -> Matches:
    """Return the matches in a target. `known` has those in lines that were looked at, which most targets share."""
    found = _named(wanted, name).and_(_matches(wanted, [(("template",), row.template)]))
    for at, lines in enumerate(row.lines):
        if lines:
            matches = known.get((at, lines))
            if matches is None:
                matches = known[at, lines] = _in_lines(wanted, at, lines)
            if matches.first:
                found = found.and_(matches)
    return found


def _in_lines(wanted: Wanted, at: int, lines: Lines) -> Matches:
    return _in_config(wanted, {CONFIG_FIELDS[at]: value_of(lines)}) if wanted.may_be_in(lines) else Matches()


def _prompts(scope: Scope, wanted: Wanted, after: str) -> Iterator[Thing]:
    names = [name for name in prompts.FOLDER.names(scope.snapshot) if name > after]
    files = scope.snapshot.read_all(map(prompts.FOLDER.path, names))
    for name, file in zip(names, files, strict=True):
        if file is not None:  # somebody put a folder of such a name there
            size = len(file.data) if wanted.may_be_in(file.data) else max(len(file.data) // 8, _LEAST_READ)
            yield Thing(name, size, partial(_in_prompt, scope, wanted, name, file))


def _in_prompt(scope: Scope, wanted: Wanted, name: str, file: File) -> Matches:
    """Return the matches in a prompt. The role of a message is not looked at: most prompts have the same."""
    found = _named(wanted, name)
    if not wanted.may_be_in(file.data):
        return found
    document = prompts.parse(scope.snapshot, name, file).document()
    said = (pair for pair in texts(document) if not (pair[0][0] == "messages" and pair[0][2:] == ("role",)))
    return found.and_(_matches(wanted, said))


def _labels(scope: Scope, wanted: Wanted, after: str) -> Iterator[Thing]:
    for name in labels.FOLDER.versions(scope.snapshot):
        if name > after:
            yield Thing(name, 0, partial(_named, wanted, name))


def _tags(scope: Scope, wanted: Wanted, after: str) -> Iterator[Thing]:
    for tag in scope.repository.tags():
        if tag.name > after:
            signature = tag.signature
            message, reason = ("", "") if signature is None else (signature.message, signature.reason or "")
            told = [(("message",), message), (("reason",), reason)]
            named = [(("name",), tag.name), *(pair for pair in told if pair[1].strip() != tag.name)]
            yield Thing(tag.name, 0, partial(_matches, wanted, named))


def _reasons(scope: Scope, wanted: Wanted, after: str, most: int) -> Iterator[Thing]:
    if after and not _COMMIT.fullmatch(after):
        raise NotFound("Commit", after)
    before = CommitId(after) if after else None
    logged = scope.repository.log(scope.snapshot.commit, LogFilter(reason=wanted.text), before=before, limit=most)
    for commit in (each.commit for each in logged):
        signature = scope.repository.signature(commit)
        yield Thing(commit, 0, partial(_in_reason, wanted, signature.reason or ""), signature)


def _in_reason(wanted: Wanted, reason: str) -> Matches:
    """Return the match in a reason that git found; git takes a few letters for the same that Python does not."""
    return Matches((Match("reason", wanted.find(reason) or beginning(reason)),))


def _in_config(wanted: Wanted, config: Config) -> Matches:
    found = (pair for name in config for pair in texts({name: config[name]}, with_names=name == _FREE))
    own = ((keys, text) for keys, text in found if keys != (_FREE,))
    return _matches(wanted, own)


def _named(wanted: Wanted, name: str) -> Matches:
    return _matches(wanted, [(("name",), name)])


def _matches(wanted: Wanted, found: Iterable[tuple[Keys, str]]) -> Matches:
    matches = (Match(_field(keys), snippet) for keys, text in found if (snippet := wanted.find(text)) is not None)
    first = tuple(islice(matches, _SHOWN))
    return Matches(first, sum(1 for _ in matches))


def _field(keys: Keys) -> str:
    """Return a field as people type it, such as `generators.0.numq`; its JSON Pointer where a name has a dot."""
    plain = all(isinstance(key, int) or (key and not set("./~") & set(key)) for key in keys)
    text = ".".join(map(str, keys)) if plain else pointer(keys)
    return text if len(text) <= _LONGEST_FIELD else f"{text[:_LONGEST_FIELD]}…"


_OTHERS: dict[Kind, Callable[[Scope, Wanted, str], Iterator[Thing]]] = {
    Kind.REPOS: _repo,
    Kind.TARGETS: _targets,
    Kind.PROMPTS: _prompts,
    Kind.LABELS: _labels,
    Kind.TAGS: _tags,
}

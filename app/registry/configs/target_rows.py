"""The targets of a repo as rows: for each its template, its version, and the lines of each field of its config.

Thousands of targets mostly have the same lines, so a row takes little memory, and the same lines are parsed once. The
rows of a repo are kept. At another commit, only the files that differ are read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from app.domain import canonical_yaml, yaml_parts
from app.domain.budgets import Work
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import CONFIG_FIELDS, is_config
from app.registry.configs import mentions, own_template, target_files
from app.registry.configs.mentions import Template
from app.registry.configs.target_files import FOLDER
from storage.caches import ENTRY, Cache, weigh
from storage.errors import RepositoryDamaged
from storage.ids import BlobId
from storage.repository import Repository
from storage.snapshot import File, Listing, Snapshot

_AT_HAND = 1024 * 1024  # bytes of lines that a request has at hand
_ROW = 800  # bytes that a row takes beside its lines, at the most
_SECTIONS = ("overrides", "config")
_TEXTS = ("template", "template_version")

Lines = bytes  # of one field, as YAML


class Row(NamedTuple):
    """A target at a version of its file: the template that it is resolved on, and the lines of its fields.

    `lines` are in the order of CONFIG_FIELDS, None where the config has no such field. `size` is the file's, in bytes.
    """

    template: str
    version: BlobId
    lines: tuple[Lines | None, ...]
    size: int


class _Field(NamedTuple):
    """A field: its lines, of which there is one copy for all rows, and its value; whether a config may have it."""

    lines: Lines
    value: Any
    is_of_config: bool


class _Kept(NamedTuple):
    """The rows of a repo that were read, by name, and the folder that they are the rows of.

    `others` are names of folders and links in that folder, which have no rows. `templates` are by name, too.
    """

    listing: Listing
    names: Sequence[str]
    others: frozenset[str]
    rows: dict[str, Row]
    templates: dict[str, Template]


_fields: Cache[Lines, _Field] = Cache(16 * 1024 * 1024)
_MOST = 32 * 1024 * 1024  # bytes of rows that are kept
_kept: Cache[str, _Kept] = Cache(_MOST + ENTRY)  # by the repository's path


def value_of(lines: Lines) -> Any:
    """Return the value of a field, given its lines in a row. Callers must not change it."""
    return _read_field(lines).value


class Rows:
    """The rows of a repo at a commit, each read when it is asked for.

    Where it `skips_damaged`, targets whose files are damaged have neither rows nor templates.
    """

    def __init__(self, repository: Repository, snapshot: Snapshot, *, skips_damaged: bool = False) -> None:
        """Take the rows that are known already."""
        self.repository, self.snapshot = repository, snapshot
        self._skipped = (RepositoryDamaged,) if skips_damaged else ()
        self._key = str(repository.path)
        self._reader = _Reader(snapshot)
        self._kept = _move(_kept.get(self._key), snapshot)
        self._left: int | None = None  # bytes that may be kept still, known once something new is read

    @property
    def names(self) -> Sequence[str]:
        """The names of all targets, sorted, also of those that are no files."""
        return self._kept.names

    @property
    def files(self) -> Sequence[str]:
        """The names of all targets that are files, sorted: these have rows."""
        others = self._kept.others
        return [name for name in self.names if name not in others] if others else self.names

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, Row]]:
        """Yield the rows of some targets, each when it is asked for, without those of what is no file.

        RepositoryDamaged where a file is damaged, unless these are skipped.
        """
        known = dict(self._kept.rows)
        files = self.snapshot.read_all(FOLDER.path(name) for name in names if name not in known)
        try:
            for name in names:
                row = known.get(name)
                if row is None:
                    file = next(files)
                    with suppress(*self._skipped):
                        row = self._read(name, file)
                if row is not None:
                    yield name, row
        finally:
            if self._left is not None:
                self._keep(_MOST - self._left)

    def templates(self, work: Work) -> Mapping[str, Template]:
        """Return the template that each target is resolved on, with its recorded version.

        TooMuchToRead where files by hand are too much.
        """
        found = self._kept.templates
        unknown = [name for name in self.files if name not in found]
        if unknown:
            for name, file in zip(unknown, self.snapshot.read_all(map(FOLDER.path, unknown)), strict=True):
                with suppress(*self._skipped):
                    if file is not None:
                        found[name] = self._template(name, file, work)
            self._keep(self._count())
        return found

    def _template(self, name: str, file: File, work: Work) -> Template:
        """Return the template of a target, from the first lines of its file where these tell it."""
        first = mentions.template(file.data)
        if first is not None and (first.name != name or name == DEFAULT_TEMPLATE):  # no target is called so
            return first
        return own_template.template(self.snapshot, name, file.id, work)

    def _read(self, name: str, file: File | None) -> Row | None:
        if file is None:
            return None
        row = self._reader.read(name, file)
        if self._left is None:
            self._left = _MOST - self._count()
        if row.size <= self._left:
            self._left -= row.size
            self._kept.rows[name] = row
        return row

    def _count(self) -> int:
        return sum(row.size for row in list(self._kept.rows.values())) + _ROW * len(self.names)

    def _keep(self, size: int) -> None:
        _kept.put(self._key, self._kept, size)


def _move(kept: _Kept | None, snapshot: Snapshot) -> _Kept:
    """Return what is known of the rows at a commit: those of the files that are as they were."""
    listing = snapshot.listing(FOLDER.name)
    if kept is None:
        everything = FOLDER.names(snapshot)
        return _Kept(listing, everything, frozenset(everything) - FOLDER.versions(snapshot).keys(), {}, {})
    if kept.listing.version == listing.version:
        return kept
    changed = list(listing.changed_since(kept.listing))
    rows, templates = dict(kept.rows), dict(kept.templates)
    for entry, _ in changed:
        rows.pop(FOLDER.name_of(entry), None)
        templates.pop(FOLDER.name_of(entry), None)
    has_same_names = all(is_in_both for _, is_in_both in changed)
    names = kept.names if has_same_names else FOLDER.names(snapshot)
    moved = {FOLDER.name_of(entry) for entry, _ in changed}
    others = {name for name in moved if snapshot.version(FOLDER.path(name)) is None}
    return _Kept(listing, names, (kept.others - moved) | others, rows, templates)


class _Reader:
    """Reads rows from files. The fields that one request reads are at hand without a look into the cache."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: dict[Lines, _Field] = {}
        self._space = _AT_HAND

    def read(self, name: str, file: File) -> Row:
        """Return a target at a version of its file as a row; RepositoryDamaged if the file holds no target."""
        version, data = file.id, file.data
        found = self._take_apart(data)
        if found is None:  # somebody wrote the file by hand, or it is damaged
            target = target_files.read_version(self._snapshot, name, version)
            parts = {field: canonical_yaml.dump({field: value}) for field, value in target.config.items()}
            found = target.template, {field: _read_field(part).lines for field, part in parts.items()}
        template, config = found
        if template == name:
            template = own_template.template(self._snapshot, name, version).name
        return Row(template, version, tuple(map(config.get, CONFIG_FIELDS)), len(data))

    def _take_apart(self, data: bytes) -> tuple[str, Mapping[str, Lines]] | None:
        """Return the template and the lines of a target's file, or None where it must be parsed as a whole.

        Each part must be YAML of one field by itself. Then nothing that begins in one part ends in another, such as a
        text in quotes, and the whole is what the parts are.
        """
        outer = yaml_parts.split(data)
        if outer is None or outer.keys() - {"files"} != {*_TEXTS, *_SECTIONS}:
            return None
        try:
            template, version = (self._field(outer[name]).value for name in _TEXTS)
            files = self._field(outer.get("files", b"files: {}\n")).value
            _, config = (self._config_lines(outer[name]) for name in _SECTIONS)
        except ValueError:
            return None
        texts = [template, version, *files, *files.values()] if isinstance(files, dict) else [None]
        return (template, config) if all(isinstance(text, str) for text in texts) else None

    def _config_lines(self, lines: Lines) -> Mapping[str, Lines]:
        """Return the lines of each field of a config or of overrides; ValueError where these are not plain."""
        parts = yaml_parts.split_object(lines)
        if parts is None:
            raise ValueError("not an object as Bakehouse writes it")
        found = {name: self._field(part) for name, part in parts.items()}
        if not all(field.is_of_config for field in found.values()):
            raise ValueError("not a config")
        return {name: field.lines for name, field in found.items()}

    def _field(self, lines: Lines) -> _Field:
        field = self._known.get(lines)
        if field is None:
            field = _read_field(lines, canonical_yaml.load_part)
            self._space -= len(lines)
            if self._space >= 0:
                self._known[lines] = field
        return field


def _read_field(lines: Lines, load: Callable[[Lines], Mapping[str, Any]] = canonical_yaml.load) -> _Field:
    """Return the one field that some lines are; ValueError where they are anything else."""
    field = _fields.get(lines)
    if field is None:
        [(name, value)] = load(lines).items()
        field = _Field(lines, value, is_config({name: value}))
        _fields.put(lines, field, len(lines) + weigh(value))
    return field

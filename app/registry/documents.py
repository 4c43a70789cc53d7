"""Documents: the YAML files in a repository, and checks of what they must contain."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from app.domain import former_yaml
from app.domain.canonical_yaml import dump, load
from app.domain.resolution import Config, is_config
from app.domain.yaml_size import least_size, may_exceed
from app.registry import shared_fields
from storage.budget import Budget
from storage.caches import Cache, weigh
from storage.errors import RepositoryDamaged
from storage.ids import BlobId, CommitId
from storage.snapshot import File

__all__ = ["Editable", "Source", "dump", "expect", "expect_config", "is_written", "parse", "read", "write"]

UNWRITTEN = BlobId("")  # the version of a document that is not in a file yet
UNCOMMITTED = CommitId("")

T = TypeVar("T")

# By version, which determines the content.
_kept: Cache[BlobId, Mapping[str, Any]] = Cache(16 * 1024 * 1024)


class Source(Protocol):
    """A source of documents: a snapshot, a transaction or a draft."""

    @property
    def name(self) -> str:
        """The repository's name."""

    def read(self, path: str) -> File | None:
        """Return a file, or None."""

    def version(self, path: str) -> BlobId | None:
        """Return the blob id of the file at a path, or None. The file itself is not read."""

    def blob(self, blob_id: BlobId) -> bytes:
        """Return the content of a blob in the history."""

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder."""

    def versions(self, folder: str) -> dict[str, BlobId]:
        """Return the blob ids of all files in a folder, by name. The files themselves are not read."""


class Editable(Source, Protocol):
    """A source that can be written to: a transaction or a draft."""

    @property
    def budget(self) -> Budget:
        """What may still be written."""

    def write(self, path: str, data: bytes) -> BlobId:
        """Put a file at a path, and return its blob id."""

    def remove(self, path: str) -> None:
        """Remove the file at a path."""


def read(source: Source, path: str) -> tuple[Mapping[str, Any], BlobId] | None:
    """Return a file's document and its blob id, or None; RepositoryDamaged if it holds no document."""
    file = source.read(path)
    return None if file is None else (parse(source, path, file), file.id)


def parse(source: Source, path: str, file: File) -> Mapping[str, Any]:
    """Parse a file; RepositoryDamaged if it holds no document.

    Recent documents are cached, so callers must not change them.
    """
    document = _kept.get(file.id)
    if document is None:
        document = parse_uncached(source, path, file)
        _kept.put(file.id, document, weigh(document))
    return document


def parse_uncached(source: Source, path: str, file: File) -> Mapping[str, Any]:
    """Parse a file for a caller that keeps the result; RepositoryDamaged if it holds no document."""
    try:
        return load(file.data)
    except ValueError as error:
        raise RepositoryDamaged(source.name, f"{path} is not a document that Bakehouse wrote") from error


def write(source: Editable, path: str, document: Mapping[str, Any]) -> BlobId:
    """Write a document, and return its blob id; TooLarge, before any work, if it is larger than allowed."""
    return source.write(path, _dump_within(source.budget, path, document))


def _dump_within(budget: Budget, path: str, document: Mapping[str, Any]) -> bytes:
    known = shared_fields.known(document)
    rest = shared_fields.without(document, known) if known else document
    size = sum(map(len, known.values()))
    is_large = may_exceed(rest, budget.left - size)
    if is_large:
        budget.check(path, size + least_size(rest))
    return shared_fields.join(document, known) if known or is_large else dump(document)


def is_written(document: Mapping[str, Any], data: bytes) -> bool:
    """Tell whether the content of a file is a document as Bakehouse writes it, or once wrote it."""
    return dump(document) == data or former_yaml.dump(document) == data


def expect(document: Mapping[str, Any], field: str, kind: type[T], source: Source, path: str) -> T:
    """Return a field of a document; RepositoryDamaged if it is missing or has another type."""
    value = document.get(field)
    if not isinstance(value, kind):
        raise RepositoryDamaged(source.name, f"{path} has no {field}")
    return value


def expect_config(document: Mapping[str, Any], field: str, source: Source, path: str) -> Config:
    """Return a field that holds a config or overrides; RepositoryDamaged if it does not."""
    config = expect(document, field, dict, source, path)
    if not is_config(config):
        raise RepositoryDamaged(source.name, f"the {field} in {path} is not one that Bakehouse wrote")
    return config

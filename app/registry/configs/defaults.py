"""The template called `default`, which every repo has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.domain.differences import is_same
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.preconditions import Precondition
from app.domain.resolution import Config, in_order, normalize, resolve
from app.registry import documents, field_changes, messages, subjects
from app.registry.configs import question_templates
from app.registry.configs.question_templates import FileVersions
from app.registry.configs.references import dangling
from app.registry.configs.template_owners import FileChanges
from app.registry.documents import Source
from app.registry.folders import Folder
from app.registry.messages import Origin
from storage.caches import Cache, weigh
from storage.errors import RepositoryDamaged
from storage.ids import BlobId, CommitId
from storage.repository import Repository
from storage.snapshot import File, Snapshot
from storage.transaction import Transaction

FOLDER = Folder("defaults", "Default")
PATH = FOLDER.path("target")

_kept: Cache[BlobId, Config] = Cache(8 * 1024 * 1024)  # by version, which determines the content


@dataclass(frozen=True, slots=True)
class DefaultTarget:
    """The default template at a commit."""

    config: Config
    version: BlobId
    commit: CommitId
    warnings: Sequence[str] = ()


def first_config(base_model: str | None) -> Config:
    """Return the default template of a new repo."""
    return {
        "generators": [],
        "model_name": base_model,
        "num_traj_per_stimulus": 1,
        "max_concurrency": 10,
        "temperature": 1.0,
        "extra_kwargs": {},
    }


def write(transaction: Transaction, config: Config, files: FileVersions = MappingProxyType({})) -> BlobId:
    """Write the default template and the versions of its question templates; return its blob id."""
    return documents.write(transaction, PATH, document(config, files))


def document(config: Config, files: FileVersions) -> Mapping[str, Any]:
    """Return the content of the file."""
    return {**({"files": dict(files)} if files else {}), "config": config}


def read(source: Source) -> tuple[Config, BlobId]:
    """Return the default template's config and its blob id."""
    file = source.read(PATH)
    if file is None:
        raise _missing(source)
    return _parse(source, file), file.id


def version(snapshot: Snapshot) -> BlobId:
    """Return the default template's blob id. The file is not read for that."""
    found = snapshot.version(PATH)
    if found is None:
        raise _missing(snapshot)
    return found


def read_version(source: Source, version: BlobId) -> Config:
    """Return the config of the default template at a version of its file."""
    return _parse(source, File(version, source.blob(version)))


def _parse(source: Source, file: File) -> Config:
    config = _kept.get(file.id)
    if config is None:
        document = documents.parse_uncached(source, PATH, file)
        config = documents.expect_config(document, "config", source, PATH)
        _kept.put(file.id, config, weigh(config))
    return config


def _missing(source: Source) -> RepositoryDamaged:
    return RepositoryDamaged(source.name, f"{PATH} is missing")


def get(snapshot: Snapshot) -> DefaultTarget:
    """Return the default template at a commit."""
    return DefaultTarget(*read(snapshot), snapshot.commit)


def put(repository: Repository, origin: Origin, overrides: Config, precondition: Precondition) -> DefaultTarget:
    """Replace the default template, where that changes it. Existing targets keep their configs.

    `overrides` are the whole new config, since the default has no template. Raises PreconditionFailed, or
    Conflict where two generators bring one file with different content, or another document names a file
    that the default brings with other content.
    """
    taken, files = question_templates.take(DEFAULT_TEMPLATE, overrides)
    config = in_order(resolve({}, normalize(taken)))

    def change(transaction: Transaction) -> DefaultTarget:
        before, current = read(transaction)
        precondition.check(DEFAULT_TEMPLATE, current)
        recorded = read_files(transaction)
        kept = question_templates.kept(transaction, recorded, config)
        present = question_templates.present(transaction, files)
        if present is not None and is_same(before, config) and recorded == {**kept, **present}:
            return DefaultTarget(before, current, transaction.tip, list(dangling(transaction, before)))
        question_templates.refuse_unportable(transaction, files)
        changes = FileChanges(transaction)
        named = question_templates.named
        brought = changes.replace(DEFAULT_TEMPLATE, named(before, recorded), named(config, files), files)
        versions = dict(sorted({**kept, **brought}.items()))
        version = write(transaction, config, versions)
        warnings = [*changes.settle(), *dangling(transaction, config)]
        changed = field_changes.find({**before, **recorded}, {**config, **versions})
        subject = subjects.of_fields(DEFAULT_TEMPLATE, changed)
        text = messages.message(origin, subject, field_changes.lines(changed))
        return DefaultTarget(config, version, FOLDER.commit(transaction, origin, text), warnings)

    return repository.transact(change)


def read_files(source: Source) -> FileVersions:
    """Return the question templates that the default template owns."""
    found = documents.read(source, PATH)
    return {} if found is None else question_templates.expect(found[0], source, PATH)


def read_files_version(source: Source, version: BlobId) -> FileVersions:
    """Return the question templates that the default template owns at a version of its file."""
    file = File(version, source.blob(version))
    return question_templates.expect(documents.parse(source, PATH, file), source, PATH)

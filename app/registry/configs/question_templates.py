"""Question templates: texts that come in a generator and are kept as files, `templates/<file>`.

A target, or the default, records the blob ids of the question templates that came with it. So each of
its versions fixes their content, and `git show <id>` prints it even after the file was replaced.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.domain import names
from app.domain.errors import Conflict, NotFound
from app.domain.resolution import Config
from app.registry import documents
from app.registry.documents import Source
from storage.errors import RepositoryDamaged
from storage.ids import BlobId
from storage.snapshot import File, Snapshot

FOLDER = "templates"

_PATH = re.compile(rf"{FOLDER}/[A-Za-z0-9._-]+")

Files = Mapping[str, bytes]  # content by path
FileVersions = Mapping[str, BlobId]  # by path


def path(name: str) -> str:
    """Return the path of a file."""
    return f"{FOLDER}/{name}"


def missing(name: str) -> NotFound:
    """Return the error that there is no such file."""
    return NotFound("Question template", name)


def get(snapshot: Snapshot, name: str) -> File:
    """Return a file; NotFound if there is none."""
    file = snapshot.read(path(name))
    if file is None:
        raise missing(name)
    return file


def list_all(snapshot: Snapshot) -> list[str]:
    """Return the names of the files, sorted, without what else somebody put there."""
    found = [name for name in snapshot.list(FOLDER) if names.file_name_problem(name) is None]
    return sorted(name for name in found if snapshot.version(path(name)))


def take(owner: str, overrides: Config) -> tuple[Config, Files]:
    """Take the question templates out of overrides; return the rest, and the files.

    A generator's `template_content` becomes the file `templates/<name>`, and its `template_path` the
    path of that file. The name is the last part of a `template_path` that was sent, or else made of the
    target's name, `owner`, and the generator's position. What is returned may still hold
    `template_content`, which `normalize` drops. Raises Conflict where two generators bring one file with
    different content.
    """
    files: dict[str, bytes] = {}
    generators = []
    for index, generator in enumerate(overrides.get("generators") or []):
        content = generator.get("template_content")
        if content is not None:
            given = generator.get("template_path") or f"{owner}-{index}.txt"
            path = f"{FOLDER}/{given.rpartition('/')[2]}"
            if files.setdefault(path, content.encode()) != content.encode():
                raise Conflict(path, f"Two generators of '{owner}' bring '{path}' with different content")
            generator = {**generator, "template_path": path}
        generators.append(generator)
    return ({**overrides, "generators": generators} if files else overrides), files


def expect(document: Mapping[str, Any], source: Source, path: str) -> FileVersions:
    """Return the recorded question templates of a target or the default; RepositoryDamaged if malformed."""
    files = documents.expect({"files": {}, **document}, "files", dict, source, path)
    if not all(isinstance(text, str) for text in [*files, *files.values()]):
        raise RepositoryDamaged(source.name, f"{path} has files that Bakehouse did not write")
    return files


def named(config: Config, files: Iterable[str] = ()) -> set[str]:
    """Return the paths of question templates that the generators of a config name, and those of `files`."""
    paths = [generator.get("template_path") or "" for generator in config.get("generators") or ()]
    return {*files, *filter(_PATH.fullmatch, paths)}


def refuse_unportable(source: Source, files: Files) -> None:
    """Raise NameNotPortable where one of the files is new, and Windows could not check it out."""
    for path in files:
        if source.version(path) is None:
            names.refuse_unportable("template_path", path)


def present(source: Source, files: Files) -> FileVersions | None:
    """Return the versions of files, or None where one of them is missing or has other content."""
    there = {path: source.read(path) for path in sorted(files)}
    versions = {path: file.id for path, file in there.items() if file is not None and file.data == files[path]}
    return versions if len(versions) == len(files) else None


def kept(source: Source, recorded: FileVersions, config: Config) -> FileVersions:
    """Return those of the files of a document that its new config names still, and that are as recorded."""
    still_named = sorted(recorded.keys() & named(config))
    return {path: recorded[path] for path in still_named if source.version(path) == recorded[path]}

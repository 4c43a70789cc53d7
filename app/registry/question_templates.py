"""Question templates that come in a generator, and are kept as files of their own: `templates/<file>`.

Whose files they were is recorded with whoever brought them, by blob id: so a version tells their
content too, and `git show <id>` prints it whatever became of the file since.
"""

from collections.abc import Mapping
from typing import Any

from app.domain.errors import Conflict
from app.domain.resolution import Config
from app.registry import documents
from app.registry.documents import Source
from storage.errors import RepositoryDamaged
from storage.transaction import Transaction

FOLDER = "templates"

Files = Mapping[str, bytes]  # content by path
FileVersions = Mapping[str, str]  # blob ids by path


def take(owner: str, overrides: Config) -> tuple[Config, Files]:
    """Return overrides without the files that came in them, and those files.

    A generator's `template_content` becomes `templates/<file name>`, which its `template_path`
    then says; only the last part of a given path counts. Without one the file is named for the
    target, `owner`, and the generator's position. Raises Conflict where two bring the same file.
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
    """Return the files that came with a target or the default; RepositoryDamaged if that cannot be read."""
    files = documents.expect({"files": {}, **document}, "files", dict, source, path)
    if not all(isinstance(text, str) for text in [*files, *files.values()]):
        raise RepositoryDamaged(source.name, f"{path} has files that Bakehouse did not write")
    return files


def refuse_other_content(source: Source, owner: str, files: Files) -> None:
    """Raise Conflict where a file is there already with different content."""
    for path, content in files.items():
        present = source.read(path)
        if present and present.data != content:
            raise Conflict(
                path,
                f"'{owner}' brings '{path}', which already exists with different content. Use PUT to "
                "replace it, or choose another template_path.",
            )


def are_there(source: Source, files: Files) -> bool:
    """Tell whether each file is there with just this content."""
    present = {path: source.read(path) for path in files}
    return all(file is not None and file.data == files[path] for path, file in present.items())


def write(transaction: Transaction, files: Files) -> FileVersions:
    """Put the files in their places, and return their blob ids."""
    return {path: transaction.write(path, files[path]) for path in sorted(files)}

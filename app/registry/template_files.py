"""Question templates that come in a generator, and are kept as files of their own: `templates/<file>`."""

from collections.abc import Mapping

from app.registry.documents import Source
from app.registry.errors import Conflict
from app.registry.resolution import Config
from storage.transaction import Transaction

_FOLDER = "templates"


def take(owner: str, overrides: Config) -> tuple[Config, Mapping[str, bytes]]:
    """Return overrides without the files that came in them, and those files by path.

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
            path = f"{_FOLDER}/{given.rpartition('/')[2]}"
            if files.setdefault(path, content.encode()) != content.encode():
                raise Conflict(path, f"Two generators bring '{path}' with different content")
            generator = {**generator, "template_path": path}
        generators.append(generator)
    return ({**overrides, "generators": generators} if files else overrides), files


def refuse_other_content(source: Source, files: Mapping[str, bytes]) -> None:
    """Raise Conflict where a file is there already with different content."""
    for path, content in files.items():
        present = source.read(path)
        if present and present.data != content:
            raise Conflict(path, f"'{path}' already exists with different content")


def write(transaction: Transaction, files: Mapping[str, bytes]) -> None:
    """Put the files in their places."""
    for path, content in files.items():
        transaction.write(path, content)

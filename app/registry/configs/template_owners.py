"""The owners of question templates: the documents whose `files` name a file own the file.

A config may name a file that its document does not own, as targets do that were made from an owner.
"""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field

from app.domain.errors import Conflict
from app.domain.names import enumerated
from app.registry.configs import mentions
from app.registry.configs.question_templates import Files, FileVersions
from app.registry.documents import Editable, Source
from storage.ids import BlobId


@dataclass(slots=True)
class Uses:
    """The documents that name one file, each by the name of its target, or `default`."""

    owners: dict[str, BlobId] = field(default_factory=dict)  # with the version that each recorded
    others: set[str] = field(default_factory=set)

    @property
    def names(self) -> Set[str]:
        """The names of all of these documents."""
        return self.owners.keys() | self.others


class FileChanges:
    """What one change does to question templates, over all documents that it writes.

    All documents are searched once, before the commit, and only where a file gets other content or might have
    lost its last mention.
    """

    def __init__(self, source: Editable) -> None:
        self._source = source
        self._written: set[str] = set()  # names of documents
        self._writers: dict[str, str] = {}  # by path of a file with other content: who brings the content
        self._strangers: set[str] = set()  # of those paths, the ones that the writer did not name before
        self._dropped: set[str] = set()

    def replace(self, name: str, before: Set[str], after: Set[str], files: Files) -> FileVersions:
        """Write the files that a document brings; return their versions.

        `before` and `after` are the paths that the document names without the change, and with it.
        """
        self._written.add(name)
        self._dropped |= before - after
        versions = {}
        for path in sorted(files):
            present = self._source.read(path)
            if present is not None and present.data == files[path]:
                versions[path] = present.id
                continue
            if present is not None:
                self._writers[path] = name
                self._strangers |= {path} - before
            versions[path] = self._source.write(path, files[path])
        return versions

    def settle(self) -> list[str]:
        """Remove the files that no document names any more; return a warning for each that others name, too.

        Raises Conflict where a file with other content belongs to a document that recorded its old content, or
        where a document brings other content of a file that only others name.
        """
        dropped = {path for path in self._dropped if self._source.version(path)}
        if not dropped and not self._writers:
            return []
        uses = find_uses(self._source, dropped | self._writers.keys())
        for path in dropped:
            if not uses[path].owners and not uses[path].others:
                self._source.remove(path)
        return [warning for path in self._writers for warning in self._check(path, uses[path])]

    def _check(self, path: str, uses: Uses) -> list[str]:
        now = self._source.version(path)
        changed = [name for name, version in uses.owners.items() if version != now]
        others = uses.others - self._written
        refused = [*changed, *others] if path in self._strangers else changed
        if refused:
            raise _conflict(self._writers[path], path, refused)
        return [f"'{path}' has new content, and is also used by {enumerated(others)}"] if others else []


def refuse_other_content(source: Source, name: str, files: Files) -> None:
    """Raise Conflict where one of the files exists with other content."""
    for path, content in files.items():
        present = source.read(path)
        if present is not None and present.data != content:
            uses = find_uses(source, {path})[path]
            raise _conflict(name, path, uses.names - {name})


def _conflict(name: str, path: str, users: Collection[str]) -> Conflict:
    """Return the error that a document brings other content of a file, which the documents `users` name."""
    message = f"'{name}' brings '{path}', which already exists with different content"
    if users:
        message += f" and is used by {enumerated(users)}. Send the same content, or choose another template_path."
    else:
        message += ". Use PUT to replace it, or choose another template_path."
    return Conflict(path, message)


def find_uses(source: Source, paths: Set[str]) -> Mapping[str, Uses]:
    """Return who names each of the paths."""
    uses = {path: Uses() for path in paths}
    for name, found in mentions.of_all(source):
        for path in found.files.keys() & paths:
            version = found.files[path]
            if version is None:
                uses[path].others.add(name)
            else:
                uses[path].owners[name] = version
    return uses

"""Does a repo hold what Bakehouse writes? Each target is resolved anew, and compared byte for byte.

All that this takes lies in the repository, so whoever has a clone can do it without a server.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath

from app.registry import (
    defaults,
    documents,
    grants,
    prompts,
    repos,
    target_files,
    template_files,
    user_files,
)
from app.registry.differences import compare
from app.registry.names import DEFAULT_TEMPLATE, name_problem, target_name_problem
from app.registry.resolution import Config, canonical, in_order, resolve
from app.registry.target_files import Target
from storage.clones import Clone
from storage.errors import RepositoryDamaged
from storage.snapshot import File, Snapshot

_README = "README.md"
_FOREIGN = "it is not written as Bakehouse writes it"


class Verification:
    """The check of one commit of a repo, path by path."""

    def __init__(self, clone: Clone, snapshot: Snapshot) -> None:
        self._clone = clone
        self._snapshot = snapshot
        self._checked: set[tuple[str, str]] = set()  # templates, by path and version
        self._checks: Mapping[str, Callable[[str, File], Iterator[str]]] = {
            target_files.FOLDER.name: self._check_target,
            prompts.FOLDER.name: self._check_prompt,
            template_files.FOLDER: lambda *_: iter(()),
        }

    def paths(self) -> list[str]:
        """Return what there is to check: all that lies there, and what must."""
        found = [_README, repos.PATH, defaults.PATH]
        for entry in self._snapshot.list(""):
            inner = [f"{entry}/{name}" for name in self._snapshot.list(entry)]
            found += inner or [entry]
        return list(dict.fromkeys(found))

    def check(self, path: str) -> Iterator[str]:
        """Yield what is wrong with one of the paths, a line each."""
        try:
            for problem in self._check(path):
                yield f"{path}: {problem}"
        except RepositoryDamaged as error:
            yield _line(path, error)

    def _check(self, path: str) -> Iterator[str]:
        file = self._snapshot.read(path)
        folder, _, entry = path.rpartition("/")
        if file is None:
            yield "it is missing, or no plain file"
        elif path == repos.PATH:
            yield from self._check_repo(file)
        elif path == defaults.PATH:
            yield from self._check_default(file.id)
        elif folder in self._checks:
            yield from self._checks[folder](entry, file)
        elif path != _README:
            yield "Bakehouse puts nothing there"

    def _check_repo(self, file: File) -> Iterator[str]:
        document = repos.read(self._snapshot)
        layout = document.get("layout")
        if layout != repos.LAYOUT_VERSION:
            yield f"its layout is {layout!r}, and this Bakehouse knows {repos.LAYOUT_VERSION}"
        repos.describe(self._snapshot, owner="")
        grants.get(self._snapshot)
        if documents.dump(document) != file.data:
            yield _FOREIGN

    def _check_prompt(self, entry: str, file: File) -> Iterator[str]:
        wrong = _wrong_name(entry, name_problem)
        if wrong:
            yield wrong
            return
        prompt = prompts.get(self._snapshot, entry.removesuffix(".yml"))
        if documents.dump(prompt.document()) != file.data:
            yield _FOREIGN

    def _check_target(self, entry: str, file: File) -> Iterator[str]:
        wrong = _wrong_name(entry, target_name_problem)
        if wrong:
            yield wrong
            return
        target = target_files.read_version(self._snapshot, entry.removesuffix(".yml"), file.id)
        yield from self._check_resolution(target)
        yield from self._check_templates(target)

    def _check_templates(self, target: Target) -> Iterator[str]:
        """Check the versions that a target was made from, one after the other, those that were not yet."""
        while target.template != DEFAULT_TEMPLATE:
            path, version = target_files.FOLDER.path(target.template), target.template_version
            if (path, version) in self._checked:
                return
            self._checked.add((path, version))
            target = target_files.read_version(self._snapshot, target.template, version)
            for problem in self._check_resolution(target):
                yield f"its template {path} at {version}: {problem}"
        if (defaults.PATH, target.template_version) not in self._checked:
            for problem in self._check_default(target.template_version):
                yield f"its template {defaults.PATH} at {target.template_version}: {problem}"

    def _check_default(self, version: str) -> Iterator[str]:
        self._checked.add((defaults.PATH, version))
        data = self._snapshot.blob(version)
        document = documents.parse(self._snapshot, defaults.PATH, data)
        files = template_files.expect(document, self._snapshot, defaults.PATH)
        yield from self._check_files(files)
        config = canonical(defaults.read_version(self._snapshot, version))
        if documents.dump(defaults.document(config, files)) != data:
            yield _FOREIGN

    def _check_resolution(self, target: Target) -> Iterator[str]:
        """Resolve a target anew from what its file says it was made from."""
        yield from self._check_files(target.files)
        is_default = target.template == DEFAULT_TEMPLATE
        path = defaults.PATH if is_default else target_files.FOLDER.path(target.template)
        if not self._was_at(path, target.template_version):
            yield f"its template_version {target.template_version} is no version that {path} ever had"
            return
        if is_default:
            base: Config = defaults.read_version(self._snapshot, target.template_version)
        else:
            base = target_files.read_version(self._snapshot, target.template, target.template_version).config
        anew = replace(
            target,
            overrides=canonical(target.overrides),
            config=in_order(resolve(base, target.overrides)),
        )
        wrong = compare(anew.config, target.config)
        if wrong:
            fields = ", ".join(difference.field for difference in wrong)
            yield f"its config is not what its template and overrides come to: {fields}"
        elif documents.dump(anew.document()) != self._snapshot.blob(target.version):
            yield _FOREIGN

    def _check_files(self, files: Mapping[str, str]) -> Iterator[str]:
        for path, version in files.items():
            if not self._was_at(path, version):
                yield f"the file {version} that came with it is no version that {path} ever had"

    def _was_at(self, path: str, version: str) -> bool:
        now = self._snapshot.read(path)
        return (now is not None and now.id == version) or version in self._history.get(path, ())

    @cached_property
    def _history(self) -> Mapping[str, Set[str]]:
        return self._clone.blobs(self._snapshot.commit)


class AccountsVerification:
    """The check of the users of a server."""

    def __init__(self, _: Clone, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def paths(self) -> list[str]:
        """Return what there is to check."""
        return [user_files.FOLDER.path(user_id) for user_id in user_files.FOLDER.names(self._snapshot)]

    def check(self, path: str) -> Iterator[str]:
        """Yield what is wrong with one of the paths, a line each."""
        try:
            user_files.read(self._snapshot, PurePosixPath(path).stem)
        except RepositoryDamaged as error:
            yield _line(path, error)


def _line(path: str, error: RepositoryDamaged) -> str:
    return error.reason if path in error.reason else f"{path}: {error.reason}"


def _wrong_name(entry: str, find_problem: Callable[[str], str | None]) -> str | None:
    name = entry.removesuffix(".yml")
    problem = "does not end in '.yml'" if name == entry else find_problem(name)
    return None if problem is None else f"its name {problem}"

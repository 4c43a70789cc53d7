"""The check of a repo: each target is resolved again, and compared byte for byte."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain

from app.domain.differences import compare
from app.domain.names import DEFAULT_TEMPLATE, label_name_problem, name_problem, target_name_problem
from app.domain.resolution import canonical, in_order, resolve
from app.registry import documents, grants, label_files, repos
from app.registry.configs import defaults, own_template, prompts, question_templates, references, target_files
from app.registry.configs.question_templates import FileVersions
from app.registry.configs.target_files import Target
from app.registry.verification.findings import FOREIGN, Check, Note, Verification, named
from app.registry.verification.labels import LabelChecks
from app.registry.verification.manifests import ManifestChecks
from storage.clones import Clone
from storage.errors import RepositoryDamaged
from storage.git_log import LoggedCommit
from storage.ids import BlobId
from storage.snapshot import File, Snapshot


def of_repo(clone: Clone, snapshot: Snapshot) -> Verification:
    """Return the check of a repo at one commit; LayoutUnknown where this version cannot check it."""
    repos.check_layout(snapshot)
    checks = _RepoChecks(clone, snapshot)
    return Verification(clone, snapshot, checks.of_files(), checks.of_folders())


class _RepoChecks:
    """The checks of the files of a repo."""

    def __init__(self, clone: Clone, snapshot: Snapshot) -> None:
        self._clone = clone
        self._snapshot = snapshot
        self._checked: set[tuple[str, BlobId]] = set()  # templates, by path and version
        self._brought: set[tuple[str, BlobId]] = set()  # the question templates that they record, likewise

    def of_files(self) -> Mapping[str, Check]:
        """Return the checks of the files that must exist, by path."""
        return {repos.PATH: self._check_repo, defaults.PATH: self._check_default_file}

    def of_folders(self) -> Mapping[str, Check]:
        """Return the checks of all files in a folder, by the folder's name."""
        return {
            target_files.FOLDER.name: named(target_name_problem, self._check_target),
            prompts.FOLDER.name: named(name_problem, self._check_prompt),
            question_templates.FOLDER: self._check_question_template,
            label_files.FOLDER: named(label_name_problem, LabelChecks(self._clone, self._snapshot).check),
            **ManifestChecks(self._clone, self._snapshot).of_folders(),
        }

    def _check_repo(self, _: str, file: File) -> Iterator[str]:
        document = repos.read(self._snapshot)
        layout = document.get("layout")
        if layout != repos.LAYOUT_VERSION:
            yield f"its layout is {layout!r}, and this Bakehouse knows {repos.LAYOUT_VERSION}"
        repos.describe(self._snapshot, owner="")
        grants.get(self._snapshot)
        if not documents.is_written(document, file.data):
            yield FOREIGN

    def _check_prompt(self, name: str, file: File) -> Iterator[str]:
        prompt = prompts.get(self._snapshot, name)
        if not documents.is_written(prompt.document(), file.data):
            yield FOREIGN

    def _check_target(self, name: str, file: File) -> Iterator[str]:
        target = target_files.read_version(self._snapshot, name, file.id)
        is_in_order = True
        checks = self._check_resolution(target), self._check_owned(target.files), self._check_templates(target)
        for problem in chain.from_iterable(checks):
            is_in_order = False
            yield problem
        if is_in_order:
            yield from self._note_dangling(target)

    def _check_templates(self, target: Target) -> Iterator[str]:
        """Check the chain of templates that a target was made from, up to one that was checked before."""
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

    def _check_default_file(self, _: str, file: File) -> Iterator[str]:
        yield from self._check_default(file.id)
        files = defaults.read_files(self._snapshot)
        yield from self._check_owned(files)
        config, _ = defaults.read(self._snapshot)
        yield from map(Note, references.dangling(self._snapshot, config, files))

    def _check_default(self, version: BlobId) -> Iterator[str]:
        self._checked.add((defaults.PATH, version))
        data = self._snapshot.blob(version)
        document = documents.parse(self._snapshot, defaults.PATH, File(version, data))
        files = question_templates.expect(document, self._snapshot, defaults.PATH)
        yield from self._check_files(files)
        config = canonical(defaults.read_version(self._snapshot, version))
        if not documents.is_written(defaults.document(config, files), data):
            yield FOREIGN

    def _check_resolution(self, target: Target) -> Iterator[str]:
        """Resolve a target again from its recorded template and overrides, and compare."""
        yield from self._check_files(target.files)
        is_default = target.template == DEFAULT_TEMPLATE
        path = defaults.PATH if is_default else target_files.FOLDER.path(target.template)
        if not self._was_at(path, target.template_version):
            yield f"its template_version {target.template_version} is no version that {path} ever had"
            return
        base = target_files.read_template_version(self._snapshot, target.template, target.template_version)
        anew = replace(target, overrides=canonical(target.overrides), config=in_order(resolve(base, target.overrides)))
        wrong = compare(anew.config, target.config)
        if wrong:
            fields = ", ".join(difference.field for difference in wrong)
            yield f"its config is not what its template and overrides come to: {fields}"
        elif not documents.is_written(anew.document(), self._snapshot.blob(target.version)):
            yield FOREIGN

    def _check_files(self, files: FileVersions) -> Iterator[str]:
        self._brought.update(files.items())
        for path, version in files.items():
            if not self._was_at(path, version):
                yield f"the file {version} that came with it is no version that {path} ever had"

    def _check_owned(self, files: FileVersions) -> Iterator[str]:
        """Check that the files of a target, or of the default, are as it recorded them."""
        for path, version in files.items():
            now = self._snapshot.version(path)
            if now is None:
                yield f"{path}, which came with it, is missing, or no plain file"
            elif now != version:
                yield f"{path} is at {now}, and not at {version}, which came with it"

    def _note_dangling(self, target: Target) -> Iterator[Note]:
        """Yield a note for each name in a target that means nothing, though the target is in order."""
        template = own_template.template(self._snapshot, target.name, target.version).name
        if template != DEFAULT_TEMPLATE and not self._snapshot.version(target_files.FOLDER.path(template)):
            yield Note(f"template: there is no target '{template}' any more, so a rebase is not possible.")
        yield from map(Note, references.dangling(self._snapshot, target.config, target.files))

    def _check_question_template(self, entry: str, file: File) -> Iterator[str]:
        """Check that a target or the default brought a question template.

        Those that were checked before are asked first, and then the history, since the target may have been
        replaced or deleted.
        """
        path = f"{question_templates.FOLDER}/{entry}"
        if (path, file.id) not in self._brought and not self._was_brought(path, file.id):
            yield "no target, and no default, brought this content"

    def _was_brought(self, path: str, version: BlobId) -> bool:
        """Tell whether a target or the default recorded this content, in the commit that wrote the content.

        The commit need not have changed the target: a PUT also restores a file that was removed by hand.
        """
        logged = self._history.get(path, {}).get(version)
        if logged is None:
            return False
        then = self._clone.at(logged.commit)
        changed = {file.path for file in logged.files}
        present = [defaults.PATH, *map(target_files.FOLDER.path, target_files.FOLDER.names(then))]
        present.sort(key=lambda document: document not in changed)  # most likely one of these
        return any(_records(then, document, path, version) for document in present)

    def _was_at(self, path: str, version: BlobId) -> bool:
        now = self._snapshot.read(path)
        return (now is not None and now.id == version) or version in self._history.get(path, ())

    @cached_property
    def _history(self) -> Mapping[str, Mapping[BlobId, LoggedCommit]]:
        return self._clone.blobs(self._snapshot.commit)


def _records(then: Snapshot, document: str, path: str, version: BlobId) -> bool:
    """Tell whether a document records this version of a file. A damaged document does not."""
    file = then.read(document)
    if file is None or version.encode() not in file.data:
        return False
    try:
        parsed = documents.parse(then, document, file)
        return question_templates.expect(parsed, then, document).get(path) == version
    except RepositoryDamaged:
        return False

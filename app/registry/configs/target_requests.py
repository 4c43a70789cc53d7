"""What a request for a target leads to, in a transaction, without the commit."""

from dataclasses import dataclass, replace

from app.domain.differences import is_same
from app.domain.errors import Conflict
from app.domain.names import refuse_unportable
from app.domain.preconditions import UNCONDITIONAL, Precondition
from app.domain.resolution import Config, in_order, normalize, resolve
from app.registry.configs import own_template, question_templates, target_files, target_messages, template_owners
from app.registry.configs.question_templates import Files
from app.registry.configs.target_files import Target
from app.registry.configs.target_messages import Summary
from app.registry.configs.template_owners import FileChanges
from app.registry.documents import Source
from storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """A request for a target: its template, its overrides as they are stored, and question templates."""

    name: str
    template: str
    overrides: Config
    files: Files

    @classmethod
    def of(cls, name: str, template: str, overrides: Config | None) -> "TargetRequest":
        """Take the question templates out of overrides; Conflict where two generators bring the same one."""
        taken, files = question_templates.take(name, overrides or {})
        return cls(name, template, normalize(taken), files)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The target that a request leads to, and what the commit message tells about it.

    `summary` is None where the target is already as requested, so there is no commit.
    """

    target: Target
    summary: Summary | None = None
    is_new: bool = False


def resolved(source: Source, request: TargetRequest) -> tuple[Target, Config]:
    """Return the target that a request leads to, without files and version, and its template's config.

    Raises NotFound for the template.
    """
    base, template_version = target_files.read_template(source, request.template)
    config = in_order(resolve(base, request.overrides))
    target = Target(request.name, request.template, template_version, request.overrides, config, {})
    return target, base


def create(transaction: Transaction, changes: FileChanges, request: TargetRequest) -> Outcome:
    """Write a new target, or keep the existing one where it is as requested.

    It is as requested if template and overrides are the same, or if the resolved config is. Raises
    NotFound for the template, Conflict where a different target has the name.
    """
    existing = target_files.read(transaction, request.name)
    if existing and _is_repeated(existing, request):  # its template may have changed since, or be gone
        template_owners.refuse_other_content(transaction, request.name, request.files)
        new = existing
    else:
        new, base = resolved(transaction, request)
        template_owners.refuse_other_content(transaction, request.name, request.files)
    if existing is None:
        return _created(base, write(transaction, changes, new, request.files))
    if is_same(existing.config, new.config) and question_templates.present(transaction, request.files) is not None:
        return Outcome(existing)
    raise Conflict(
        request.name,
        f"Target '{request.name}' already exists with different configuration. Use PUT to replace it, "
        "or choose another name.",
    )


def put(
    transaction: Transaction,
    changes: FileChanges,
    request: TargetRequest,
    precondition: Precondition = UNCONDITIONAL,
) -> Outcome:
    """Write a target, or keep the existing one where nothing in it would change.

    Raises NotFound for the template, or PreconditionFailed.
    """
    existing = target_files.read(transaction, request.name)
    precondition.check(request.name, existing.version if existing else None)
    new, base = resolved(transaction, request)
    if existing is None:
        return _created(base, write(transaction, changes, new, request.files))
    if _is_kept(transaction, existing, new, request):
        return Outcome(existing)
    written = write(transaction, changes, new, request.files, existing)
    return Outcome(written, target_messages.updated(existing, written))


def _created(template: Config, target: Target) -> Outcome:
    return Outcome(target, target_messages.created(template, target), is_new=True)


def write(
    transaction: Transaction, changes: FileChanges, target: Target, files: Files, existing: Target | None = None
) -> Target:
    """Write a target, in the place of an existing one, and the question templates that the target brings.

    Raises NameNotPortable, before anything is written.
    """
    if existing is None:
        refuse_unportable("target_name", target_files.FOLDER.path(target.name))
    question_templates.refuse_unportable(transaction, files)
    kept = question_templates.kept(transaction, existing.files, target.config) if existing else {}
    before = existing.named_files() if existing else set()
    after = question_templates.named(target.config, files)
    versions = {**kept, **changes.replace(target.name, before, after, files)}
    return target_files.write(transaction, replace(target, files={path: versions[path] for path in sorted(versions)}))


def _is_repeated(existing: Target, request: TargetRequest) -> bool:
    return existing.template == request.template and is_same(existing.overrides, request.overrides)


def _is_kept(source: Source, existing: Target, new: Target, request: TargetRequest) -> bool:
    """Tell whether a request changes nothing: the version of the template says nothing by itself."""
    present = question_templates.present(source, request.files)
    if present is None or not is_same(existing.config, new.config):
        return False
    if existing.files != {**question_templates.kept(source, existing.files, new.config), **present}:
        return False
    if request.template == request.name:
        return own_template.has_already(source, existing, request.overrides)
    return _is_repeated(existing, request)

"""The commit messages for targets: one target, a batch, or a rebase."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.registry import field_changes, messages, subjects
from app.registry.configs.target_files import Target
from app.registry.field_changes import FieldChange, plural
from app.registry.messages import Origin

_MOST_FIELDS_EACH = 20  # lines for each of several targets


@dataclass(frozen=True, slots=True)
class Summary:
    """A target that a commit changed: how its subject starts, as a form with names, and the target before.

    `before` of a new target are the fields of its template. `nothing` is what the subject tells where no field
    changed.
    """

    form: str
    names: tuple[str, ...]
    before: Mapping[str, Any]
    target: Target
    nothing: str = ""

    def changes(self) -> list[FieldChange]:
        """Return the fields and files that changed."""
        return field_changes.find(self.before, self.target.content())

    def block(self) -> list[str]:
        """Return the lines about this target among others."""
        start, changes = self.form.format(*self.names), self.changes()
        if len(changes) == 1:
            return [f"{start}: {changes[0].line(' ')}"]
        lines = field_changes.lines(changes, _MOST_FIELDS_EACH)
        return [subjects.of_fields(start, changes, self.nothing), *(f"  {line}" for line in lines)]


def created(template: Mapping[str, Any], target: Target) -> Summary:
    """Return what to tell about a new target; `template` are the fields of its template."""
    return Summary("Create {} from {}", (target.name, target.template), template, target)


def updated(before: Target, target: Target) -> Summary:
    """Return what to tell about a target that a request replaced."""
    is_moved = target.template not in (before.template, target.name)
    form = "{}, now from {}" if is_moved else "{}"
    return Summary(form, (target.name, target.template), before.content(), target, "no field changed")


def rebased(before: Target, target: Target) -> Summary:
    """Return what to tell about a target that was resolved again."""
    return Summary("Rebase {} on {}", (target.name, target.template), before.content(), target, "no field changed")


def of_one(origin: Origin, summary: Summary) -> str:
    """Return the message of a commit that changed one target."""
    changes = summary.changes()
    subject = subjects.of_fields(subjects.head(summary.form, *summary.names), changes, summary.nothing)
    return messages.message(origin, subject, field_changes.lines(changes), summary.target.trailers())


def of_batch(origin: Origin, batch: Sequence[Summary]) -> str:
    """Return the message of a commit that changed what a batch asked for."""
    if len(batch) == 1:
        return of_one(origin, batch[0])
    subject = subjects.of_many("Write", "target", [summary.target.name for summary in batch])
    return messages.message(origin, subject, _bounded(batch))


def of_rebase(origin: Origin, summaries: Sequence[Summary]) -> str:
    """Return the message of a commit that rebased a target, and others that were made from it."""
    first, others = summaries[0], len(summaries) - 1
    if not others:
        return of_one(origin, first)
    start = subjects.head("Rebase {} and {} more", first.target.name, str(others))
    all_changes = [changes for summary in summaries if (changes := summary.changes())] or [[]]
    if all(changes == all_changes[0] for changes in all_changes):
        subject = subjects.of_fields(start, all_changes[0])
    else:
        subject = f"{start}: {plural(sum(map(len, all_changes)), 'field')}"
    return messages.message(origin, subject, _bounded(summaries))


def _bounded(summaries: Sequence[Summary]) -> list[str]:
    return field_changes.bounded((summary.block() for summary in summaries), len(summaries), "target")

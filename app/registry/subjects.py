"""The first lines of commit messages, which `git log --oneline` shows: what was changed, at a glance."""

from collections.abc import Sequence

from app.registry.field_changes import FieldChange, cut, plural

_LONGEST = 72  # characters
_LONGEST_HEAD = 58
_LONGEST_NAME = 24  # where the line would be too long
_LEAST_VALUE = 8


def head(form: str, *names: str) -> str:
    """Return the start of a subject; names are cut in the middle where it would be long."""
    text = form.format(*names)
    return text if len(text) <= _LONGEST_HEAD else form.format(*map(_cut_name, names))


def of_fields(start: str, changes: Sequence[FieldChange], nothing: str = "") -> str:
    """Return a subject that tells the one change with its values, or how many fields changed.

    `nothing` is what it tells where no field changed.
    """
    count = plural(len(changes), "field")
    told = nothing if not changes else _value(start, changes[0]) if len(changes) == 1 else count
    if len(f"{start}: {told}") > _LONGEST:
        told = count if changes else ""
    return f"{start}: {told}" if told else start


def of_many(verb: str, noun: str, names: Sequence[str]) -> str:
    """Return a subject such as `Write 3 targets: a, b and 1 more`."""
    start = f"{verb} {plural(len(names), noun)}: "
    listed = ", ".join(names[:_LONGEST])
    if len(start) + len(listed) <= _LONGEST:
        return f"{start}{listed}"
    count, size = 0, len(start) + len(f" and {len(names)} more")
    while size + len(names[count]) + 2 <= _LONGEST:
        size += len(names[count]) + 2
        count += 1
    if not count:
        return f"{start}{_cut_name(names[0])} and {len(names) - 1} more"
    return f"{start}{', '.join(names[:count])} and {len(names) - count} more"


def _value(start: str, change: FieldChange) -> str:
    """Return a change with its values, cut to what is left of the line, or the field alone."""
    before, after = change.texts()
    field = _cut_name(change.field)
    room = _LONGEST - len(f"{start}: {field}  → ")
    if len(before) + len(after) > room:
        short = min(len(before), len(after), room // 2)  # the other value gets what this one leaves
        if short < min(len(before), len(after), _LEAST_VALUE):
            return field
        before, after = cut(before, after, room - short)
    return f"{field} {before} → {after}"


def _cut_name(name: str) -> str:
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[1 - half :]}"

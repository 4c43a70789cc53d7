"""Take a document of Bakehouse apart, as lines, without parsing it.

Most fields of a target have the same lines in hundreds of other targets. Read part by part, the same lines are parsed
once. Each part is YAML by itself, with the indentation that it has in the document.
"""

import re
from collections.abc import Mapping

# Where a line begins with a name: in the first column, and two columns further in. `- ` there continues a list.
_OUTER = re.compile(rb"^(?![ \n])", re.MULTILINE)
_INNER = re.compile(rb"^(?=  [^ \n-])", re.MULTILINE)
_NAME = re.compile(rb"(?:  )?([a-z_]+):")


def split(document: bytes) -> Mapping[str, bytes] | None:
    """Return the lines of each field of a document, or None where it is not written as Bakehouse writes."""
    return None if document.startswith((b" ", b"\n")) else _by_name(_OUTER.split(document))


def split_object(lines: bytes) -> Mapping[str, bytes] | None:
    """Return the lines of each field of an object, given the lines of the object with its name; None as above."""
    first, *fields = _INNER.split(lines)
    name = _NAME.match(first)
    if name is None or first != name[0] + (b"\n" if fields else b" {}\n"):
        return None
    return _by_name(fields)


def _by_name(parts: list[bytes]) -> Mapping[str, bytes] | None:
    named = [(_NAME.match(part), part) for part in parts if part]
    found = {name[1].decode(): part for name, part in named if name is not None}
    return found if len(found) == len(named) else None

"""How large a document is as canonical YAML, before it is written.

A small body that is deep and long becomes a large file, since each line begins with the spaces of its depth.
"""

import marshal
from collections.abc import Mapping
from typing import Any, cast

from app.domain.yaml_scalars import is_literal

# A value or character takes a byte or more from marshal, and 270 bytes of YAML at most: the spaces, and a few more.
_MOST_OF_A_BYTE = 270


def may_exceed(document: Mapping[str, Any], size: int) -> bool:
    """Tell whether a document might have more than `size` bytes, in a tenth of the time that `least_size` takes."""
    data = marshal.dumps(cast(dict[str, Any], document), 2)  # version 2 writes each text as often as it is there
    return len(data) * _MOST_OF_A_BYTE > size


def least_size(value: Any, indent: int = 0) -> int:
    """Return how many bytes an object or list has at least; quotes and escapes come on top."""
    is_list = isinstance(value, list)
    size = 0 if is_list else sum(map(len, value))
    start = indent + len(": ")  # of each line; in a list `- `
    for item in value if is_list else value.values():
        if isinstance(item, str):
            size += start + _least_text(item, indent + 2) + 1
        elif not item or not isinstance(item, dict | list):
            size += start + 2
        elif is_list:
            size += least_size(item, indent + 2)
        else:
            size += start + least_size(item, indent if isinstance(item, list) else indent + 2)
    return size


def _least_text(text: str, indent: int) -> int:
    if not is_literal(text):
        return len(text)
    return len(text) + indent * sum(map(bool, text.split("\n")))

"""A prompt as one text."""

from collections.abc import Mapping, Sequence
from typing import Any


def as_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the content of a single message, or a paragraph `role: content` for each of several.

    Content that is a list of parts becomes the texts of the parts, a line each; another part shows its type in
    brackets, `[image_url]`. Content that is null is empty.
    """
    if len(messages) == 1:
        return _content(messages[0].get("content"))
    return "\n\n".join(f"{message.get('role')}: {_content(message.get('content'))}" for message in messages)


def _content(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(_part(part) for part in content)
    return content if isinstance(content, str) else ""


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) else None
    kind = part.get("type") if isinstance(part, Mapping) else None
    return text if isinstance(text, str) else f"[{kind or 'part'}]"

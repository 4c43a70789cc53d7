"""What is asked before a change."""

from collections.abc import Sequence
from typing import NamedTuple


class Confirmation(NamedTuple):
    """What will happen, and the button that says yes. `typed` is a name that must be typed for that."""

    title: str
    sentences: Sequence[str]
    button: str
    typed: str | None = None

"""The questions of `persona` generators: they show who somebody is."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

_FILE = "question_bank.txt"


@cache
def questions() -> Sequence[str]:
    """Return the questions, in the order of the file."""
    return tuple(_content().decode().splitlines())


@cache
def digest() -> str:
    """Return the SHA-256 of the file: other questions, another run."""
    return hashlib.sha256(_content()).hexdigest()


def _content() -> bytes:
    return files(__package__).joinpath(_FILE).read_bytes()

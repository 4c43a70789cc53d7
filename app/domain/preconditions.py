"""Conditions on the version of a document (RFC 9110, If-Match and If-None-Match)."""

from dataclasses import dataclass

from app.domain.errors import PreconditionFailed

ANY = "*"


@dataclass(frozen=True, slots=True)
class Precondition:
    """The versions that a change requires, or rules out: blob ids, or `ANY`. By default any will do."""

    match: frozenset[str] | None = None
    none_match: frozenset[str] = frozenset()

    def check(self, name: str, current: str | None) -> None:
        """Raise PreconditionFailed where the version `current` is ruled out. None: there is no document."""
        if self.match is not None and not _is_among(current, self.match):
            raise PreconditionFailed(name, current)
        if _is_among(current, self.none_match):
            raise PreconditionFailed(name, current)


def _is_among(current: str | None, versions: frozenset[str]) -> bool:
    return current is not None and (ANY in versions or current in versions)


UNCONDITIONAL = Precondition()

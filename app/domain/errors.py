"""Errors that the registry raises. Each carries the names and ids in its message."""


class RegistryError(Exception):
    """Base class of the errors that the registry raises on purpose."""


class NotFound(RegistryError):
    """There is no such thing, or there was none at a `commit`. `kind` is `Repo`, `Target`, `User`, …."""

    def __init__(self, kind: str, name: str, commit: str | None = None) -> None:
        super().__init__(f"{kind} '{name}' not found{f' at commit {commit}' if commit else ''}")
        self.kind = kind
        self.name = name
        self.commit = commit


class Conflict(RegistryError):
    """A request contradicts the present state of a repository."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class NotPermitted(RegistryError):
    """The caller may not have a change: of tokens, or of a label that is protected."""


class NameNotPortable(RegistryError):
    """A new thing would have a name that Windows cannot check out; `field` of the request is to blame."""

    def __init__(self, field: str, name: str, reason: str) -> None:
        super().__init__(f"'{name}' cannot be in a clone on Windows, which {reason}: choose another name")
        self.field = field
        self.name = name


class ImportRefused(RegistryError):
    """What should become a repo is none that Bakehouse would write; `findings` says why, a line each."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


class PreconditionFailed(RegistryError):
    """The request's conditions rule out the version `current`, or that there is none."""

    def __init__(self, name: str, current: str | None) -> None:
        state = "does not exist" if current is None else f'is at version "{current}"'
        super().__init__(f"'{name}' {state}, which the request's If-Match or If-None-Match rules out")
        self.name = name
        self.current = current


class TooMuchToRead(Exception):
    """An answer would come to more work than one request may cause."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(
            f"{what} comes to more than {most} bytes of documents, which is the most that one answer reads"
        )
        self.most = most

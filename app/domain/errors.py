"""What the registry refuses. Each error carries what it speaks of."""


class RegistryError(Exception):
    """Base of everything that the registry raises on purpose."""


class NotFound(RegistryError):
    """What was asked for does not exist: `kind` is `Repo`, `Target`, `Template`, `User`, ….

    Or it did not at a `commit`.
    """

    def __init__(self, kind: str, name: str, commit: str | None = None) -> None:
        super().__init__(f"{kind} '{name}' not found{f' at commit {commit}' if commit else ''}")
        self.kind = kind
        self.name = name
        self.commit = commit


class Conflict(RegistryError):
    """What was asked for contradicts what is there."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class PreconditionFailed(RegistryError):
    """The version that a request insists on is not the current one."""

    def __init__(self, name: str, current: str | None) -> None:
        state = "does not exist" if current is None else f'is at version "{current}"'
        super().__init__(f"'{name}' {state}, which the request's If-Match or If-None-Match rules out")
        self.name = name
        self.current = current

"""git's smart protocol for clones and fetches: `git upload-pack`, fed and read in pieces."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from storage.errors import RepositoryDamaged, StorageUnavailable
from storage.location import Location
from storage.machine import git_command

_PIECE = 64 * 1024  # bytes
_OPTIONS = {
    "uploadpack.allowFilter": "true",  # --filter=blob:none
    "uploadpack.allowAnySHA1InWant": "true",  # what such a clone fetches later, in protocol 0 and 1
}
_COMMAND = ("upload-pack", "--strict", "--stateless-rpc")


def advertise_refs(location: Location, protocol: str) -> bytes:
    """Return the answer to `GET …/info/refs?service=git-upload-pack`; `protocol` is `Git-Protocol`.

    Raises RepositoryDamaged if git cannot list the refs.
    """
    status, refs, _ = git_command.attempt(
        location,
        *_COMMAND,
        "--http-backend-info-refs",
        str(location.folder),
        options=_options(),
        variables={"GIT_PROTOCOL": protocol},
    )
    if status != 0:
        raise RepositoryDamaged(location.name, "git cannot list its refs")
    service = b"# service=git-upload-pack\n"
    return b"%04x%b0000%b" % (len(service) + 4, service, refs)


def upload_pack(path: Path, protocol: str, request: IO[bytes]) -> "Upload":
    """Return the answer to a `POST …/git-upload-pack`. The request may be closed then."""
    variables = {"GIT_PROTOCOL": protocol}
    return Upload(git_command.start(path, *_COMMAND, str(path), options=_options(), variables=variables, stdin=request))


def bundle(path: Path, *refs: str) -> "Bundle":
    """Return a bundle of some refs, as `git rev-list` takes them."""
    with Path(os.devnull).open("rb") as nothing:
        command = ("bundle", "create", "--quiet", "-", *refs)
        return Bundle(git_command.start(path, *command, options=(), variables={}, stdin=nothing))


def _options() -> list[str]:
    return [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]


class Upload(Iterator[bytes]):
    """The output of a git process, piece by piece.

    Closing it early, as a server does when the client goes away, ends the process.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        self._process = process
        self._output = process.stdout

    def __next__(self) -> bytes:
        """Return the next piece, as soon as there is one."""
        piece: bytes = b"" if self._output.closed else self._output.read1(_PIECE)  # type: ignore[attr-defined]
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """End the process, if it has not ended by itself."""
        self._process.kill()
        self._output.close()
        self._process.wait()


class Bundle(Upload):
    """A bundle, piece by piece. One that breaks off raises StorageUnavailable, and is not taken for a whole one."""

    def __next__(self) -> bytes:
        """Return the next piece, as soon as there is one."""
        piece: bytes = b"" if self._output.closed else self._output.read1(_PIECE)  # type: ignore[attr-defined]
        if not piece:
            status = self._process.wait()
            self.close()
            if status != 0:
                raise StorageUnavailable("bundle", f"git bundle ends with status {status}")
            raise StopIteration
        return piece

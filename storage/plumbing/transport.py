"""git's smart protocol for clones and fetches: `git upload-pack`, fed and read in pieces."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from storage.machine import cores, git_command

_PIECE = 64 * 1024
_OPTIONS = {
    "uploadpack.allowFilter": "true",  # --filter=blob:none
    "uploadpack.allowAnySHA1InWant": "true",  # what such a clone fetches later, in protocol 0 and 1
}


def advertise_refs(path: Path, protocol: str) -> bytes:
    """Return what `GET …/info/refs?service=git-upload-pack` answers; `protocol` is `Git-Protocol`."""
    command = _command(path, "--http-backend-info-refs")
    with cores.on_all_cores():
        refs = subprocess.run(command, env=_environment(protocol), capture_output=True, check=True).stdout
    service = b"# service=git-upload-pack\n"
    return b"%04x%b0000%b" % (len(service) + 4, service, refs)


def upload_pack(path: Path, protocol: str, request: IO[bytes]) -> "Upload":
    """Return what `POST …/git-upload-pack` answers to a request, which may be closed then."""
    with cores.on_all_cores():
        process = subprocess.Popen(
            _command(path),
            env=_environment(protocol),
            stdin=request,
            stdout=subprocess.PIPE,
        )
    return Upload(process)


class Upload(Iterator[bytes]):
    """What a git process sends, piece by piece.

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


def _command(path: Path, *arguments: str) -> list[str]:
    options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
    return ["git", *options, "upload-pack", "--strict", "--stateless-rpc", *arguments, str(path)]


def _environment(protocol: str) -> dict[str, str]:
    return git_command.environment() | {"GIT_PROTOCOL": protocol}

"""How git is started: here only, with the same environment whatever the machine's configuration says."""

import configparser
import os
import re
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import git
from git.compat import safe_decode

from storage.errors import RepositoryDamaged, RepositoryNotFound, StorageUnavailable
from storage.location import Location
from storage.machine import cores

_LONGEST = 1800.0  # seconds: maintenance of a large repository takes minutes
# What git is told, whatever the configuration of a repository says. A clone that somebody hands over may name commands
# there.
_SETTINGS = {
    "safe.directory": "*",  # A repository of ours is trusted, whoever owns its folder after a copy.
    "core.fsync": "all",  # git flushes what it writes, as the rest of the store does.
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.sshCommand": "false",
    "core.alternateRefsCommand": "false",
    "log.showSignature": "false",
    "protocol.allow": "never",
}
_LAZY = re.compile(r"extensions\.partialclone|remote\..*\.(promisor|partialclonefilter)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a git process may take: bytes of memory, bytes of a file that it writes, seconds of a core."""

    memory: int
    file: int
    seconds: int

    def shell(self) -> str:
        """Return how a shell sets them for git. Where a system lacks one, the others hold."""
        limits = {"v": self.memory // 1024, "f": self.file // 512 + 1, "t": self.seconds, "c": 0}
        lines = (f"ulimit -{name} {most} 2>/dev/null || :" for name, most in limits.items())
        return "\n".join([*lines, 'exec git "$@"'])


def environment() -> dict[str, str]:
    """Return the environment of a git process on a repository of ours."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",  # messages as in C, and upper and lower case for letters of any alphabet
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_LAZY_FETCH": "1",  # an object that is missing stays missing: to fetch it may run a command
        "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
        **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(_SETTINGS)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_SETTINGS.values())},
    }


def run(location: Location, *arguments: str, stdin: str = "", options: Sequence[str] = ()) -> str:
    r"""Return what a git command prints about a repository; `options` are git's own.

    Raises RepositoryDamaged if the command fails, StorageUnavailable if the system does not let it start.
    Bytes that are not UTF-8, as in a path that somebody committed by hand, become `\ufffd`.
    """
    status, output, _ = attempt(location, *arguments, stdin=stdin, options=options)
    if status != 0:
        raise RepositoryDamaged(location.name, f"git {arguments[0]} fails")
    return output.decode("utf-8", "replace")


def run_up_to(location: Location, most: int, *arguments: str, options: Sequence[str] = ()) -> str | None:
    """Return what `run` does; None if that is over `most` bytes: the command is killed then."""
    status, output = start_of_output(location, most + 1, *arguments, options=options)
    if len(output) > most:
        return None
    if status != 0:
        raise RepositoryDamaged(location.name, f"git {arguments[0]} fails")
    return output.decode("utf-8", "replace")


def start_of_output(
    location: Location, most: int, *arguments: str, stdin: bytes = b"", options: Sequence[str] = ()
) -> tuple[int, bytes]:
    """Return the exit status and the first bytes of the output of a command, which is killed where it has `most`.

    `stdin` must fit into a pipe: 64 KiB. Raises StorageUnavailable as `attempt` does.
    """
    with location.explained(), cores.on_all_cores():
        process = subprocess.Popen(
            ["git", "--literal-pathspecs", *options, *arguments],
            cwd=location.folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    timer = threading.Timer(_LONGEST, process.kill)
    timer.start()
    try:
        with process:
            with suppress(BrokenPipeError):  # the command has ended, and its status says why
                process.stdin.write(stdin)
                process.stdin.close()
            output = process.stdout.read(most)
            if len(output) == most:
                process.kill()
    finally:
        timer.cancel()
    if process.returncode < 0 and len(output) < most:
        raise StorageUnavailable(location.name, f"git {arguments[0]} was killed")
    return process.returncode, output


def attempt(
    location: Location,
    *arguments: str,
    stdin: str = "",
    options: Sequence[str] = (),
    variables: dict[str, str] | None = None,
) -> tuple[int, bytes, bytes]:
    """Return the exit status, the output and the errors of a git command; `variables` are added to its own.

    Raises StorageUnavailable if the system does not let it start, if it does not end, or if it is killed.
    """
    command = ["git", "--literal-pathspecs", *options, *arguments]
    try:
        with location.explained(), cores.on_all_cores():
            done = subprocess.run(
                command,
                cwd=location.folder,
                env=environment() | (variables or {}),
                input=stdin.encode(),
                capture_output=True,
                timeout=_LONGEST,
            )
    except subprocess.TimeoutExpired as error:
        raise StorageUnavailable(location.name, f"git {arguments[0]} does not end") from error
    if done.returncode < 0:  # by a signal, as where memory ran out
        raise StorageUnavailable(location.name, f"git {arguments[0]} was killed")
    return done.returncode, done.stdout, done.stderr


def feed(location: Location, *arguments: str, options: Sequence[str], stdin: IO[bytes], bounds: Bounds) -> int:
    """Run a git command on the rest of a file that nobody vouches for; return its exit status.

    The status is not 0 either where the bounds stop it. What it says is dropped, since it may tell of the machine.
    """
    os.lseek(stdin.fileno(), stdin.tell(), os.SEEK_SET)  # Python may have read ahead
    with location.explained(), cores.on_all_cores():
        done = subprocess.run(
            ["sh", "-c", bounds.shell(), "git", *options, *arguments],
            cwd=location.folder,
            env=environment(),
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return done.returncode


def start(
    folder: Path, *arguments: str, options: Sequence[str], variables: dict[str, str], stdin: IO[bytes]
) -> "subprocess.Popen[bytes]":
    """Start a git command that reads a file, and whose output is read while it runs."""
    with cores.on_all_cores():
        return subprocess.Popen(
            ["git", *options, *arguments],
            cwd=folder,
            env=environment() | variables,
            stdin=stdin,
            stdout=subprocess.PIPE,
        )


def kept(folder: Path) -> git.Git:
    """Return the way to git's `cat-file --batch`, one process that answers for many objects."""
    command = git.Git(folder)  # `git.Repo` would read git's configuration, too: 0.25 ms
    command.update_environment(**environment())
    return command


def read(command: git.Git, hex_id: str) -> tuple[str, bytes]:
    """Return the type and content of an object from the process of `kept`; ValueError if it has none."""
    _, type_name, _, data = command.get_object_data(hex_id)
    return safe_decode(type_name), data


def kill(command: git.Git) -> None:
    """Kill the process of `kept`, also one that was stopped."""
    running = getattr(command.cat_file_all, "proc", None)
    if running is not None:
        running.kill()


def end(command: git.Git) -> None:
    """End the process of `kept`; the next read starts another."""
    kill(command)
    command.clear_cache()


def find_repository(name: str, path: Path) -> Path:
    """Return git's own folder of the repository or clone at a path.

    Raises RepositoryNotFound if there is none, RepositoryDamaged if its configuration cannot be read, or makes it
    a partial clone: git would fetch what is missing there, by a command that the configuration may name.
    """
    try:
        with git.Repo(path, expand_vars=False) as found:
            folder = Path(found.common_dir)
    except (git.NoSuchPathError, git.InvalidGitRepositoryError) as error:
        raise RepositoryNotFound(name) from error
    except (configparser.Error, UnicodeError) as error:
        raise RepositoryDamaged(name, "its config cannot be read") from error
    status, names, _ = attempt(Location(name, path), "config", "--list", "--name-only", "-z")
    if status != 0:
        raise RepositoryDamaged(name, "its config cannot be read")
    if any(_LAZY.fullmatch(key) for key in names.decode("utf-8", "replace").split("\0")):
        raise RepositoryDamaged(name, "it is a partial clone: clone it anew, without --filter")
    return folder

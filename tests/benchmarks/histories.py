"""A repository with a long history: the commits that Bakehouse would write, made by `git fast-import`."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import in_order, normalize, resolve
from app.registry import documents
from app.registry.configs import defaults
from app.registry.configs.target_files import FOLDER, Target
from storage.clones import Clone
from storage.location import Location
from storage.machine import git_command
from storage.maintenance import write_commit_graph
from storage.plumbing.branch import Branch
from storage.plumbing.object import GitObject
from storage.plumbing.refs import BRANCH, Refs
from tests.payloads import seed_overrides

# A target, and the five templates below it, down to the one that was made from `default`.
CHAIN = tuple(f"chained-{depth}" for depth in range(6))
_AUTHORS = 16


@dataclass(slots=True)
class _Writer:
    """The latest version of each target, and of the default."""

    latest: dict[str, Target]

    def change(self, name: str, number: int) -> bytes:
        """Change a target's overrides in one field, on its template's latest version; return its file."""
        before = self.latest.get(name) or self._first(name)
        template = self.latest[before.template]
        field = ("max_tokens", "num_traj_per_stimulus", "max_concurrency")[number % 3]
        overrides = normalize({**before.overrides, field: number % 1000 + 1})
        after = replace(
            before,
            template_version=template.version,
            overrides=overrides,
            config=in_order(resolve(template.config, overrides)),
        )
        data = documents.dump(after.document())
        self.latest[name] = replace(after, version=GitObject.of("blob", data).id.hex())
        return data

    def _first(self, name: str) -> Target:
        below = dict(pairwise(CHAIN)).get(name, DEFAULT_TEMPLATE)
        overrides = {"teacher_prompt": f"of-{name}"} if name in CHAIN[:-1] else normalize(seed_overrides())
        return Target(name, below, "", overrides, {}, {})


def write(git_folder: Path, commits: int, targets: int = 1000) -> None:
    """Put so many commits on the branch of a new repo, each a change of some target, and index them."""
    with Clone(git_folder.stem, git_folder) as clone:
        snapshot = clone.head()
        config, version = defaults.read(snapshot)
    writer = _Writer({DEFAULT_TEMPLATE: Target("", "", "", {}, config, {}, version)})
    importing = subprocess.Popen(
        ["git", "fast-import", "--quiet"],
        cwd=git_folder,
        env=git_command.environment(),
        stdin=subprocess.PIPE,
    )
    assert importing.stdin is not None
    with importing.stdin as stream:
        stream.writelines(_commits(writer, commits, targets, snapshot.time))
    if importing.wait() != 0:
        raise RuntimeError("git fast-import fails")
    write_commit_graph(Branch(Refs(Location(git_folder.stem, git_folder))))


def _commits(writer: _Writer, commits: int, targets: int, start: int) -> Iterator[bytes]:
    """Yield what `git fast-import` reads; a commit a second."""
    names = [*reversed(CHAIN), *(f"old-{number:04}" for number in range(targets - len(CHAIN)))]
    chance = random.Random(1)
    for number in range(commits):
        name = names[number] if number < len(names) else chance.choice(names)
        data = writer.change(name, number)
        author = f"user-{number % _AUTHORS}"
        message = f"Update target {name}\n\nA change, number {number}.\n\nSource: benchmark\n".encode()
        yield b"commit %b\n" % BRANCH.encode()
        for role, who in (("author", author), ("committer", "Bakehouse")):
            yield f"{role} {who} <{who}@example.org> {start + number} +0000\n".encode()
        yield b"data %d\n%b\n" % (len(message), message)
        if number == 0:
            yield b"from %b^0\n" % BRANCH.encode()
        yield b"M 100644 inline %b\ndata %d\n%b\n" % (FOLDER.path(name).encode(), len(data), data)

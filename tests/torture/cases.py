"""A server with damaged data: its answers, the effect of its writes, and what `verify` finds."""

import gc
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from unittest.mock import patch

from click.testing import CliRunner, Result
from flask import Flask

from app import create_app
from app.cli import main
from app.settings import Settings
from storage.store import Store
from tests.contracts import hold_to_contracts
from tests.server import MASTER_KEY
from tests.storage.repositories import git
from tests.torture import everything
from tests.torture.everything import State
from tests.torture.questions import AGAIN, LISTS, WRITES, Answer, Question, Truth, Write, find_truth, shuffled


class Damage(Protocol):
    """Something that may happen to one repository, `place`."""

    @property
    def place(self) -> str:
        """Which one it is."""

    def do(self, data_dir: Path) -> None:
        """Do it to a copy of the data directory."""

    def undo(self, data_dir: Path) -> None:
        """Take it back, unless what was damaged has been written anew."""


@dataclass
class Verdict:
    """What came of a damage.

    It is `found` by `bakehouse verify`, or `missed` though it changed what somebody reads.
    """

    told: bool = False
    found: bool = False
    missed: bool = False
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class Case:
    """A state, and what is true of it."""

    def __init__(self, state: State, folder: Path) -> None:
        """Ask a server with nothing damaged, on a copy in `folder`."""
        self.state = state
        with _copy(state, folder) as data_dir:
            self.truth: Truth = find_truth(_start(data_dir, leftovers=False), state)
            self.held = [found for found in sorted(_held(data_dir)) if not found[1].endswith(AGAIN)]
            assert _verify(data_dir).exit_code == 0

    def hold(self, damage: Damage, chance: random.Random, folder: Path) -> Verdict:
        """Do a damage to copies in `folder`, and return what came of it."""
        verdict = Verdict()
        with _copy(self.state, folder) as data_dir:
            damage.do(data_dir)
            written = self._serve(data_dir, damage.place, chance, verdict)
            gc.collect()  # ends the git processes of what was open
            damage.undo(data_dir)
            verdict.lost += self._find_lost(data_dir, written)
        with _copy(self.state, folder) as data_dir:
            damage.do(data_dir)
            verified = _verify(data_dir)
        verdict.found = verified.exit_code == 1 and isinstance(verified.exception, SystemExit)
        if verified.exit_code and not verdict.found:
            verdict.wrong.append(f"verify fails: {verified.exception!r}")
        changed = verdict.told or verdict.wrong
        verdict.missed = bool(changed) and not verdict.found
        return verdict

    def _serve(self, data_dir: Path, place: str, chance: random.Random, verdict: Verdict) -> list[Write]:
        """Start a server, ask it everything, and write to it; return the writes that it took."""
        try:
            app = _start(data_dir, leftovers=chance.random() < 0.5)
        except Exception as error:
            verdict.wrong.append(f"the start fails: {error!r}")
            return []
        answers = {question: question.ask(app, self.state) for question in shuffled(self.truth, chance)}
        for question, answer in answers.items():
            truth = self.truth[question]
            if answer == truth:
                continue
            if question.is_named(answer, place):
                verdict.told = True
            else:
                verdict.wrong.append(f"{question} is {answer.beside(truth)}, and was {truth.beside(answer)}")
        return self._write(app, place, answers, verdict)

    def _write(self, app: Flask, place: str, before: Mapping[Question, Answer], verdict: Verdict) -> list[Write]:
        """Write, and see whether the lists still have what they had before, and what was written."""
        written = []
        expected = {
            question: (self.truth if before[question].is_refusal else before)[question].names() for question in LISTS
        }
        for write in WRITES:
            answer = write.send(app, self.state)
            if answer.status in (200, 201):
                written.append(write)
                expected.setdefault(write.listed, set()).add(write.name)
            elif not write.listed.is_named(answer, place):
                verdict.wrong.append(f"{write} is {answer}")
        for question, names in expected.items():
            answer = question.ask(app, self.state)
            missing = names - answer.names()
            if missing and not question.is_named(answer, place):
                verdict.lost.append(f"{question}, after the writes, is {answer}, without {sorted(missing)}")
        return written

    def _find_lost(self, data_dir: Path, written: Sequence[Write]) -> list[str]:
        """Return what git finds no more, and what it finds wrong."""
        try:
            held = _held(data_dir)
            for _, repository in everything.repositories(data_dir):
                git(repository.path, "fsck", "--full", "--strict", "--no-dangling")
        except subprocess.CalledProcessError as error:
            return [f"{error}: {error.stdout} {error.stderr}"]
        except Exception as error:
            return [f"what lies there cannot be read any more: {error!r}"]
        files = {(place, line.partition("\t")[2]) for place, line in held}
        lost = [f"{place} has no {line!r}" for place, line in self.held if (place, line) not in held]
        return lost + [f"{write} left no file" for write in written if (write.place, write.file) not in files]


@contextmanager
def _copy(state: State, folder: Path) -> Iterator[Path]:
    """Copy a data directory, with the times of its files, for as long as it takes."""
    shutil.copytree(state.data_dir, folder)
    try:
        yield folder
    finally:
        gc.collect()
        shutil.rmtree(folder)


def _start(data_dir: Path, *, leftovers: bool) -> Flask:
    """Start a server; `leftovers` tells whether it checkpoints what a killed one left in the journals."""
    _forget_versions()
    with nullcontext() if leftovers else patch.object(Store, "checkpoint_leftovers"):
        app = create_app(Settings(data_dir, master_key=MASTER_KEY, maintenance=False))
    hold_to_contracts(app)
    for thread in threading.enumerate():
        if thread.name == "leftovers":
            thread.join()
    return app


def _verify(data_dir: Path) -> Result:
    _forget_versions()
    return CliRunner(env={"BAKEHOUSE_DATA_DIR": str(data_dir)}).invoke(main, ["verify"])


def _forget_versions() -> None:
    """Clear what this process keeps by the ids of versions: a new one has read none."""
    for name, module in list(sys.modules.items()):
        if name.startswith("app.registry"):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _held(data_dir: Path) -> set[tuple[str, str]]:
    """Checkpoint all, and return commits, files at the tip and tags, each with its repository."""
    held = set()
    for place, repository in everything.repositories(data_dir):
        repository.checkpoint()
        for asked in (("rev-list", "main"), ("ls-tree", "-r", "main"), ("for-each-ref", "refs/tags")):
            held.update((place, line) for line in git(repository.path, *asked).splitlines())
    return held

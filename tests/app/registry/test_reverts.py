"""Reverts, whatever was written in between: each file is that of the commit, to the byte."""

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.errors import Conflict, NotFound
from app.domain.preconditions import UNCONDITIONAL
from app.registry.configs import defaults, prompts, reverts, targets, things
from app.registry.configs.prompts import Prompt
from app.registry.configs.target_requests import TargetRequest
from app.registry.configs.things import Thing
from storage.ids import CommitId
from storage.repository import Repository
from storage.snapshot import Snapshot
from tests.app.registry.layers import ALICE, new_repository

THINGS = [things.target("a"), things.target("b"), things.prompt("a"), things.DEFAULT]
# Which thing is written, with which value, and whether it brings a question template; None deletes it.
WRITES = st.lists(
    st.tuples(st.sampled_from(THINGS), st.none() | st.tuples(st.integers(0, 2), st.booleans())),
    min_size=1,
    max_size=10,
)
Write = tuple[Thing, tuple[int, bool] | None]


def write(repository: Repository, thing: Thing, value: tuple[int, bool] | None) -> CommitId:
    """Write a thing, or delete it, where that is possible; return the commit that is then the tip."""
    with suppress(Conflict, NotFound):
        if value is None:
            delete(repository, thing)
        elif thing.folder is prompts.FOLDER:
            # The same content in another order of names is another version.
            message = {"role": "user", "content": str(value[0])}
            sent = [dict(reversed(message.items())) if value[1] else message]
            prompts.put(repository, ALICE, Prompt(thing.name, sent), UNCONDITIONAL)
        else:
            config = {"max_tokens": value[0] + 1, "generators": asking(value[0]) if value[1] else []}
            if thing is things.DEFAULT:
                defaults.put(repository, ALICE, config, UNCONDITIONAL)
            else:
                targets.put(repository, ALICE, TargetRequest.of(thing.name, "default", config), UNCONDITIONAL)
    return repository.head().commit


def asking(number: int) -> list[dict[str, str]]:
    return [{"type": "custom", "template_path": f"{number % 2}.txt", "template_content": str(number)}]


def delete(repository: Repository, thing: Thing) -> None:
    if thing.folder is prompts.FOLDER:
        prompts.FOLDER.delete(repository, ALICE, thing.name, UNCONDITIONAL)
    elif thing is not things.DEFAULT:
        targets.delete(repository, ALICE, thing.name, UNCONDITIONAL)


def files(snapshot: Snapshot) -> dict[str, str | None]:
    """Return the version of each file."""
    folders = ("targets", "prompts", "defaults", "templates")
    paths = [f"{folder}/{name}" for folder in folders for name in snapshot.list(folder)]
    return {path: snapshot.version(path) for path in paths}


@settings(max_examples=60)
@given(WRITES, st.integers(0, 9))
@example([(THINGS[0], (0, True)), (THINGS[0], (2, True)), (THINGS[1], (2, True))], 0)  # another has other content
@example([(THINGS[3], (0, True)), (THINGS[3], (1, False))], 0)
@example([(THINGS[2], (1, True)), (THINGS[2], (1, False))], 0)
def test_after_a_revert_the_files_are_those_of_the_commit(writes: list[Write], at: int):
    with new_repository() as repository:
        commits = [write(repository, *each) for each in writes]
        then = repository.at(commits[at % len(commits)])
        for thing in THINGS:
            before = files(repository.head())
            tip = repository.head().commit
            try:
                reverted = reverts.revert(repository, ALICE, thing, then.commit, UNCONDITIONAL)
            except NotFound:
                assert then.version(thing.path) is None
                assert files(repository.head()) == before
                continue
            except Conflict:  # another thing has other content of its question template
                owned = thing.content(then).files
                assert any(before.get(path) != version for path, version in owned.items())
                assert repository.head().commit == tip
                continue
            after = files(repository.head())
            content = thing.content(then)
            wanted = {thing.path: then.version(thing.path), **content.files}
            assert {path: after.get(path) for path in wanted} == wanted
            assert reverted.content == content
            assert reverted.commit == repository.head().commit
            assert (reverted.commit == tip) == (after == before)
            changed = {path for path in before | after if before.get(path) != after.get(path)}
            assert {path for path in changed if not path.startswith("templates/")} <= {thing.path}
            again = reverts.revert(repository, ALICE, thing, then.commit, UNCONDITIONAL)
            assert again.commit == reverted.commit

"""Who uses what, found in the bytes of documents, compared with the parsed documents."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.budgets import Work
from app.registry.configs import defaults, rebase, targets, usage
from app.registry.configs.target_files import FOLDER
from app.registry.configs.usage import PromptUser
from storage.snapshot import Snapshot
from tests.app.registry.layers import NAMES, Patch, Tree, new_repository

PROMPTS = ("p", "null", "1.0", "a-b")
TEXTS = st.sampled_from(["x", "teacher_prompt: p", "\n  student_prompt: p\n", "  teacher_prompt: 'p'\n"])
NAMING = st.fixed_dictionaries(
    {},
    optional={
        "teacher_prompt": st.none() | st.sampled_from(PROMPTS),
        "student_prompt": st.none() | st.sampled_from(("", *PROMPTS)),
        "model_name": TEXTS,
        "extra_kwargs": st.dictionaries(TEXTS, TEXTS, max_size=2),
    },
)
WRITES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), NAMING), min_size=1, max_size=10)


def configs(snapshot: Snapshot) -> dict[str, Any]:
    """Return the config of the default and of each target, as they are parsed."""
    of_targets = {name: targets.get(snapshot, name).config for name in FOLDER.names(snapshot)}
    return {"default": defaults.get(snapshot).config, **of_targets}


@settings(max_examples=40)
@given(WRITES)
def test_uses_are_those_of_the_parsed_documents(writes: Sequence[tuple[int, int, Patch]]):
    with new_repository() as repository:
        tree = Tree()
        for write in writes:
            tree.write(repository, *write)
        snapshot = repository.head()
        parsed = configs(snapshot)
        for prompt in PROMPTS:
            wanted = [
                PromptUser(name, fields)
                for name in ("default", *sorted(parsed.keys() - {"default"}))
                if (
                    fields := tuple(
                        field for field in ("teacher_prompt", "student_prompt") if parsed[name].get(field) == prompt
                    )
                )
            ]
            assert usage.of_prompt(snapshot, prompt) == wanted
            assert usage.users_of_prompt(snapshot, prompt) == [user.name for user in wanted]
        everything = usage.states(repository, snapshot, Work(0))
        assert everything == {name: usage.state(snapshot, name) for name in FOLDER.names(snapshot)}
        for name in NAMES[1:]:
            below = usage.descendants(snapshot, name)
            for child, depth in below:
                drift = rebase.drift(snapshot, child, depth)
                state = "template_gone" if drift.rebased is None else "current" if drift.is_current else "drifted"
                assert usage.state(snapshot, child) == (drift.template, state)
            assert usage.users_of_target(snapshot, name) == [child for child, depth in below if depth == 1]

"""Both clients of the published Python SDK, unchanged, against the real server."""

import inspect
from collections.abc import Callable, Iterator
from functools import partial

import aibread
import pytest

from tests.e2e.conftest import User
from tests.e2e.sdks import CLIENTS, Blocking, Connect, connecting
from tests.payloads import seed_overrides
from tests.server import MASTER_KEY

deprecated = partial(pytest.warns, DeprecationWarning, match="deprecated")

SYSTEM = {"role": "system", "content": "You are terse."}
QUESTION = {"role": "user", "content": [{"type": "text", "text": "Why?"}]}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]}
TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.fixture(params=CLIENTS)
def connect(request: pytest.FixtureRequest, user: User) -> Iterator[Connect]:
    """Make clients with some token."""
    with connecting(request.param, user.server.url) as connect:
        yield connect


@pytest.fixture
def bread(connect: Connect, user: User) -> Blocking:
    return connect(user.token)


def repo(bread: Blocking) -> None:
    made = bread.repo.create(repo_name="new")
    assert (made.repo_name, made.base_model) == ("new", "Qwen/Qwen3-32B")
    assert bread.repo.create(repo_name="new", base_model=None) == made
    with deprecated():
        assert bread.repo.set(repo_name="new", base_model=made.base_model) == made
    assert bread.repo.get("new") == made
    assert bread.repo.list().repos == ["demo", "new"]
    page = bread.repo.list(include_metadata=True, limit=1, offset=0)
    assert (page.has_more, page.total, page.limit, page.offset) == (True, 2, 1, 0)
    assert (page.repos[0].repo_name, page.repos[0].base_model) == ("demo", made.base_model)
    tree = bread.repo.get_tree("new")
    assert (tree.base_model, tree.bakes, tree.edges) == (made.base_model, {}, [])


def prompts(bread: Blocking) -> None:
    made = bread.prompts.create("demo", prompt_name="terse", messages=[SYSTEM], tools=[TOOL])
    assert made.to_dict() == {"prompt_name": "terse", "messages": [SYSTEM], "tools": [TOOL]}
    assert bread.prompts.create("demo", prompt_name="terse", messages=[SYSTEM], tools=[TOOL]) == made
    assert bread.prompts.get("terse", repo_name="demo") == made
    with deprecated():
        changed = bread.prompts.set("terse", repo_name="demo", messages=[SYSTEM, QUESTION, CALL])
    assert changed.to_dict() == {"prompt_name": "terse", "messages": [SYSTEM, QUESTION, CALL]}
    batch = bread.prompts.create_batch("demo", prompts={"why": [QUESTION], "wrong": [{"content": "x"}]})
    assert batch.created == ["why"]
    assert "role" in batch.failed["wrong"]
    with deprecated():
        batch = bread.prompts.batch_set("demo", prompts={"why": [SYSTEM, QUESTION], "empty": []})
    assert (batch.created, batch.failed) == (["why", "empty"], {})
    assert len(bread.prompts.get("why", repo_name="demo").messages) == 2
    assert bread.prompts.list("demo").prompts == ["empty", "terse", "why"]


def targets(bread: Blocking) -> None:
    warned = bread.targets.create("demo", target_name="early", template="default", overrides=seed_overrides())
    assert [text.partition(":")[0] for text in warned.warnings] == ["teacher_prompt", "student_prompt"]
    for name in ("system_prompt_v1", "user_prompt_v1"):
        bread.prompts.create("demo", prompt_name=name, messages=[SYSTEM])
    assert bread.targets.delete("early", repo_name="demo").used_by == []
    made = bread.targets.create("demo", target_name="first", template="default", overrides=seed_overrides())
    assert (made.target_name, made.config.max_tokens) == ("first", 150)
    assert made.config.api_model_name == "Qwen/Qwen3-32B"
    kinds = [generator.type for generator in made.config.generators]
    assert kinds == ["oneshot_qs", "from_dataset", "hardcoded", "persona"]
    again = bread.targets.create("demo", target_name="first", template="default", overrides=seed_overrides())
    assert again == made
    assert bread.targets.get("first", repo_name="demo") == made
    assert bread.targets.with_raw_response.get("first", repo_name="demo").headers["ETag"]
    with deprecated():
        changed = bread.targets.set(
            "first", repo_name="demo", template="first", overrides={"temperature": 0.2, "max_tokens": None}
        )
    assert (changed.config.temperature, changed.config.max_tokens) == (0.2, None)
    assert changed.config.generators == made.config.generators
    batch = bread.targets.create_batch(
        "demo",
        targets=[
            {"target_name": "second", "template": "first", "overrides": {"temperature": 1.5}},
            {"target_name": "third", "template": "second"},
            {"target_name": "orphan", "template": "nope"},
        ],
    )
    assert batch.created == ["second", "third"]
    etag = bread.targets.with_raw_response.get("third", repo_name="demo").headers["ETag"]
    assert etag == f'"{batch.versions["third"]}"'
    assert "nope" in batch.failed["orphan"]
    with deprecated():
        batch = bread.targets.batch_set("demo", targets=[{"target_name": "second", "template": "default"}])
    assert (batch.created, batch.failed) == (["second"], {})
    temperatures = [bread.targets.get(name, repo_name="demo").config.temperature for name in ("second", "third")]
    assert temperatures == [1.0, 1.5]
    assert "'first'" in bread.targets.delete("first", repo_name="demo").message
    assert bread.targets.list("demo").targets == ["second", "third"]


def health(bread: Blocking) -> None:
    checked = bread.health.check()
    assert (checked.status, checked.api) == ("healthy", "bakehouse")


@pytest.mark.parametrize("story", [repo, prompts, targets, health])
def test_every_method_of_the_sdk_works(bread: Blocking, story: Callable[[Blocking], None]):
    """A resource's story calls every public method that its class in the SDK has."""
    resource = story.__name__
    methods = {
        f"{resource}.{name}"
        for name, member in vars(type(getattr(bread.sdk, resource))).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert methods
    story(bread)
    assert methods - bread.called == set()


def test_unknown_names_raise_not_found(bread: Blocking):
    for read, name in ((bread.repo.get, "nope"), (bread.repo.get_tree, "nope"), (bread.targets.list, "nope")):
        with pytest.raises(aibread.NotFoundError, match="'nope'") as caught:
            read(name)
        assert caught.value.body["code"] == "RESOURCE_NOT_FOUND"
    for call in (bread.prompts.get, bread.targets.get, bread.targets.delete):
        with pytest.raises(aibread.NotFoundError, match="'nope'"):
            call("nope", repo_name="demo")
    with pytest.raises(aibread.NotFoundError, match="'nope'"):
        bread.targets.create("demo", target_name="a", template="nope")


def test_conflicts_raise_conflict(bread: Blocking):
    bread.prompts.create("demo", prompt_name="a", messages=[SYSTEM])
    bread.targets.create("demo", target_name="a", template="default")
    other = {"target_name": "a", "template": "default", "overrides": {"max_tokens": 1}}
    for call in (
        partial(bread.repo.create, repo_name="demo", base_model="other"),
        partial(bread.prompts.create, "demo", prompt_name="a", messages=[QUESTION]),
        partial(bread.targets.create, "demo", **other),
        partial(bread.targets.create_batch, "demo", targets=[other]),
    ):
        with pytest.raises(aibread.ConflictError, match="already exists") as caught:
            call()
        assert caught.value.body["code"] == "RESOURCE_CONFLICT"
    assert bread.targets.get("a", repo_name="demo").config.max_tokens is None


def test_wrong_requests_raise_unprocessable(bread: Blocking):
    for call, location in (
        (partial(bread.repo.create, repo_name="a b"), ["body", "repo_name"]),
        (partial(bread.repo.list, limit=0), ["query", "limit"]),
        (partial(bread.prompts.get, "-x", repo_name="demo"), ["path", "prompt_name"]),
        (
            partial(bread.targets.create, "demo", target_name="a", template="default", overrides={"u": 1}),
            ["body", "overrides", "u"],
        ),
    ):
        with pytest.raises(aibread.UnprocessableEntityError) as caught:
            call()
        assert [mistake["loc"] for mistake in caught.value.body["detail"]] == [location]


def test_missing_rights_raise_authentication_or_permission_errors(bread: Blocking, connect: Connect):
    with pytest.raises(aibread.AuthenticationError, match="UNAUTHORIZED"):
        connect("wrong").repo.list()
    for somebody in ({"x_user_id": "somebody"}, {"user_id": "somebody"}):
        with pytest.raises(aibread.PermissionDeniedError, match="'somebody'"):
            bread.repo.list(**somebody)


def test_the_master_key_acts_for_a_user(bread: Blocking, connect: Connect, user: User):
    master = connect(MASTER_KEY)
    master.targets.create("demo", target_name="a", template="default", x_user_id=user.id)
    assert master.targets.list("demo", user_id=user.id).targets == ["a"]
    assert bread.targets.list("demo").targets == ["a"]

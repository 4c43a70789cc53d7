"""The published SDK, unchanged, against the real server."""

from collections.abc import Iterator

import aibread
import pytest
from aibread import Bread

from tests.e2e.conftest import User
from tests.payloads import seed_overrides
from tests.server import MASTER_KEY


@pytest.fixture
def bread(user: User) -> Iterator[Bread]:
    with Bread(base_url=user.server.url, api_key=user.token, max_retries=0) as client:
        yield client


def test_repos(bread: Bread):
    assert bread.repo.create(repo_name="new").base_model == "Qwen/Qwen3-32B"
    assert bread.repo.create(repo_name="new", base_model=None).repo_name == "new"
    assert bread.repo.get("new").repo_name == "new"
    assert bread.repo.list().repos == ["demo", "new"]
    page = bread.repo.list(include_metadata=True, limit=1)
    assert (page.has_more, page.total, page.repos[0].repo_name) == (True, 2, "demo")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        assert bread.repo.set(repo_name="new").repo_name == "new"
    with pytest.raises(aibread.ConflictError):
        bread.repo.create(repo_name="new", base_model="other")


def test_targets(bread: Bread):
    created = bread.targets.create(
        "demo", target_name="coding_target", template="default", overrides=seed_overrides()
    )
    assert created.target_name == "coding_target"
    assert created.config.max_tokens == 150
    assert [generator.type for generator in created.config.generators][:2] == ["oneshot_qs", "from_dataset"]
    assert bread.targets.get("coding_target", repo_name="demo") == created
    with pytest.warns(DeprecationWarning, match="deprecated"):
        changed = bread.targets.set(
            "coding_target", repo_name="demo", template="coding_target", overrides={"temperature": 0.2}
        )
    assert (changed.config.temperature, changed.config.max_tokens) == (0.2, 150)
    assert bread.targets.list("demo").targets == ["coding_target"]
    raw = bread.targets.with_raw_response.get("coding_target", repo_name="demo")
    assert raw.headers["ETag"]


def test_errors(bread: Bread, user: User):
    with pytest.raises(aibread.NotFoundError, match="nope"):
        bread.targets.get("nope", repo_name="demo")
    with pytest.raises(aibread.UnprocessableEntityError, match="less_than_equal"):
        bread.targets.create("demo", target_name="a", template="default", overrides={"temperature": 9})
    with pytest.raises(aibread.PermissionDeniedError):
        bread.repo.list(x_user_id="somebody")
    stranger = Bread(base_url=user.server.url, api_key="wrong", max_retries=0)
    with stranger, pytest.raises(aibread.AuthenticationError):
        stranger.repo.list()


def test_the_master_key_acts_for_a_user(bread: Bread, user: User):
    with Bread(base_url=user.server.url, api_key=MASTER_KEY, max_retries=0) as master:
        master.targets.create("demo", target_name="a", template="default", x_user_id=user.id)
        assert master.targets.list("demo", user_id=user.id).targets == ["a"]
    assert bread.targets.list("demo").targets == ["a"]


def test_health(bread: Bread):
    assert bread.health.check().status == "healthy"

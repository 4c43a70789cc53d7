"""The views of the API: one blueprint for each resource."""

from app.api import (
    accounts,
    defaults,
    git,
    grants,
    health,
    history,
    lineage,
    preview,
    prompts,
    repo_life,
    repos,
    tags,
    targets,
)
from app.api.batches import ItemName

BLUEPRINTS = (
    health.blueprint,
    accounts.blueprint,
    repos.blueprint,
    repo_life.blueprint,
    repo_life.deleted_repos,
    targets.blueprint,
    preview.blueprint,
    history.blueprint,
    lineage.blueprint,
    tags.blueprint,
    prompts.blueprint,
    defaults.blueprint,
    grants.blueprint,
    git.blueprint,
)

CONVERTERS = {"item": ItemName}

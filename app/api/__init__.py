"""The views of the API: one blueprint for each resource."""

from app.api import (
    accounts,
    bundles,
    comparison,
    defaults,
    diffs,
    git,
    grants,
    health,
    history,
    lineage,
    own_tokens,
    preview,
    prompts,
    repo_life,
    repos,
    reverts,
    tags,
    targets,
)
from app.api.batches import ItemName

BLUEPRINTS = (
    health.blueprint,
    accounts.blueprint,
    own_tokens.blueprint,
    repos.blueprint,
    repo_life.blueprint,
    bundles.blueprint,
    bundles.importing,
    repo_life.deleted_repos,
    targets.blueprint,
    preview.blueprint,
    history.blueprint,
    comparison.blueprint,
    diffs.blueprint,
    reverts.blueprint,
    lineage.blueprint,
    tags.blueprint,
    prompts.blueprint,
    defaults.blueprint,
    grants.blueprint,
    git.blueprint,
)

CONVERTERS = {"item": ItemName}

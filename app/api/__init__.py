"""The views of the API: one blueprint for each resource."""

from app.api import (
    accounts,
    defaults,
    git,
    grants,
    health,
    history,
    labels,
    lineage,
    preview,
    prompts,
    repos,
    tags,
    targets,
)
from app.api.batches import ItemName

BLUEPRINTS = (
    health.blueprint,
    accounts.blueprint,
    repos.blueprint,
    targets.blueprint,
    preview.blueprint,
    history.blueprint,
    lineage.blueprint,
    tags.blueprint,
    labels.blueprint,
    prompts.blueprint,
    defaults.blueprint,
    grants.blueprint,
    git.blueprint,
)

CONVERTERS = {"item": ItemName}

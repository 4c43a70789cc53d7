"""HTTP: one blueprint a resource."""

from app.api import accounts, defaults, git, grants, health, prompts, repos, targets
from app.api.batches import ItemName

BLUEPRINTS = (
    health.blueprint,
    accounts.blueprint,
    repos.blueprint,
    targets.blueprint,
    prompts.blueprint,
    defaults.blueprint,
    grants.blueprint,
    git.blueprint,
)

CONVERTERS = {"item": ItemName}

"""HTTP: one blueprint a resource."""

from app.api import accounts, git, health, repos, targets

BLUEPRINTS = (
    health.blueprint,
    accounts.blueprint,
    repos.blueprint,
    targets.blueprint,
    git.blueprint,
)

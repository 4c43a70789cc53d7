"""HTTP: one blueprint a resource."""

from app.api import accounts, defaults, git, grants, health, prompts, repos, targets

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

"""Which documents use a prompt or a target: what a deletion answers."""

from app.domain.names import DEFAULT_TEMPLATE
from app.registry.configs import mentions, rebase
from app.registry.documents import Source


def users_of_prompt(source: Source, name: str) -> list[str]:
    """Return the targets whose config names a prompt, sorted, after `default` where the default names it."""
    users = [user for user, found in mentions.of_all(source) if name in found.prompts]
    return sorted(users, key=lambda user: (user != DEFAULT_TEMPLATE, user))


def users_of_target(source: Source, name: str) -> list[str]:
    """Return the targets that are resolved on a target, sorted."""
    return rebase.children(source).get(name, [])

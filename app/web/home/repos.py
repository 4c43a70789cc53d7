"""Repos as lists show them: what each has, and what happened there last."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import auth
from app.domain.errors import NotFound
from app.domain.names import RESERVED
from app.registry import labels, repos
from app.registry.configs import target_files
from app.web.parts.commits import Commit
from app.web.parts.numbered import Numbered
from app.wire import context
from storage.errors import StorageError

_PAGE = 20  # repos; each is opened
_SHARED = 10
_LABELS = 5


@dataclass(frozen=True, slots=True)
class Card:
    """A repo: its base model, targets and labels, and the last commit. `access` is what a guest may do there.

    `problem` says why a repo cannot be read; then nothing else is known.
    """

    owner: str
    name: str
    access: str | None = None
    problem: str | None = None
    base_model: str | None = None
    targets: int = 0
    labels: Sequence[str] = ()
    more_labels: int = 0
    last: Commit | None = None

    @property
    def has_page(self) -> bool:
        """Tell whether the repo has a page: where the owner's id is reserved, the address is that of something else."""
        return self.owner not in RESERVED


def of_owner(page: int) -> tuple[Numbered[str], Sequence[Card]]:
    """Return a page of what the viewer may see of an owner's repos; Forbidden where that is none of another user."""
    services, caller = context.services(), context.principal()
    names = Numbered.of(auth.visible_repos(services.store, context.shares(), caller), page, _PAGE)
    return names, [_card(caller.owner, name) for name in names.shown]


def shared(after: str) -> tuple[Sequence[Card], str | None]:
    """Return the repos behind `after` that others share with the viewer; beside them where the next ones begin."""
    caller = context.principal()
    found, following = context.shares().page(caller.user.id, after, _SHARED, caller.may_reach, lambda _: True)
    cards = [_card(each.repo.owner, each.repo.name, str(caller.access_by(each.access))) for each in found]
    return cards, following


def _card(owner: str, name: str, access: str | None = None) -> Card:
    try:
        return _read(owner, name, access)
    except (NotFound, StorageError) as error:  # the others are shown all the same
        return Card(owner, name, access, problem=str(error))


def _read(owner: str, name: str, access: str | None) -> Card:
    repository = repos.open_repository(context.services().store, owner, name)
    head = repository.head()
    named = labels.FOLDER.names(head)
    return Card(
        owner,
        name,
        access,
        None,
        repos.describe(head, owner).base_model,
        len(target_files.FOLDER.names(head)),
        named[:_LABELS],
        max(0, len(named) - _LABELS),
        Commit.of(head.commit, repository.signature(head.commit)),
    )

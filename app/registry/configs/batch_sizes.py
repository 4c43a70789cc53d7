"""What a batch of targets comes to, before it is written: a small body may name a large template many times."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from app.domain.errors import NotFound
from app.domain.names import DEFAULT_TEMPLATE
from app.domain.resolution import Config
from app.domain.yaml_size import least_size
from app.registry.configs import defaults
from app.registry.configs.target_files import FOLDER, read_template
from storage.transaction import Transaction

_Sizes = Mapping[str, int]  # bytes of each field of a config, at least


class _Request(Protocol):
    """A request for a target."""

    @property
    def name(self) -> str:
        """The target's name."""

    @property
    def template(self) -> str:
        """The name of its template."""

    @property
    def overrides(self) -> Config:
        """The fields that it changes."""


def check(transaction: Transaction, requests: Sequence[_Request]) -> None:
    """Raise TooLarge if a batch would read or write more than a change may write."""
    _check_reading(transaction, [request.name for request in requests])
    templates = _check_reading(transaction, [request.template for request in requests])
    # Most batches have small templates, and need no count field by field.
    if sum(templates.get(request.template, 0) for request in requests) > transaction.budget.left_in_all:
        transaction.budget.check_total(_count(transaction, requests))


def _check_reading(transaction: Transaction, names: Iterable[str]) -> Mapping[str, int]:
    """Return the size of each file that is there, by the name of its target; TooLarge if they come to too much."""
    sizes: dict[str, int] = {}
    total = 0
    for name in dict.fromkeys(names):
        file = transaction.read(defaults.PATH if name == DEFAULT_TEMPLATE else FOLDER.path(name))
        if file is not None:
            sizes[name] = len(file.data)
            total += sizes[name]
            transaction.budget.check_total(total)
    return sizes


def _count(transaction: Transaction, requests: Sequence[_Request]) -> int:
    """Return how many bytes the batch writes at least, without resolving a target."""
    known: dict[str, _Sizes] = {}  # of each template
    total = 0
    for request in requests:
        if request.template not in known:
            try:
                known[request.template] = _sizes(read_template(transaction, request.template)[0])
            except NotFound:  # this item will fail, and the others may not
                continue
        template = known[request.template]
        kept = {name: size for name, size in template.items() if name not in request.overrides}
        total += sum(kept.values()) + least_size(request.overrides)
        known[request.name] = {**kept, **_sizes(request.overrides)}
    return total


def _sizes(config: Config) -> _Sizes:
    return {name: least_size({name: value}) for name, value in config.items() if value is not None}

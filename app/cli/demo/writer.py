"""How the story of the demo is written: as requests are, by the schemas' rules, and by the registry's functions."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from app.cli.demo.people import origin
from app.domain.preconditions import UNCONDITIONAL
from app.domain.tokens import Access
from app.registry import grants, labels, revisions
from app.registry.configs import defaults, prompts, rebase, reverts, target_batches, targets, things
from app.registry.configs.prompts import Prompt
from app.registry.configs.target_requests import TargetRequest
from app.registry.labels import LabelRequest, Mover
from app.registry.users.shares import Shares
from app.registry.users.user_files import User
from app.runs import starting
from app.runs.plans import STIM
from app.runs.services import Runs
from app.schemas.base import load
from app.schemas.labels import LabelPutSchema
from app.schemas.prompts import PromptPutSchema
from app.schemas.revisions import TagCreateSchema
from app.schemas.targets import DefaultTargetPutSchema, TargetCreateSchema
from storage.ids import CommitId
from storage.repository import Repository

Overrides = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one repo, as a user who gives a reason."""

    repository: Repository
    owner: User
    name: str
    shares: Shares
    runs: Runs

    def share(self, user: User, access: Access) -> None:
        """Share the repo with a user, as its owner."""
        author = origin(self.owner, None)
        list_share = partial(self.shares.add, author, self.owner.id, self.name, user.id)
        grants.put(self.repository, author, self.owner.id, user.id, access, UNCONDITIONAL, list_share)

    def default(self, user: User, reason: str, config: Overrides) -> None:
        """Replace the template that is called `default`."""
        body = load(DefaultTargetPutSchema(), {"config": config}, ())
        defaults.put(self.repository, origin(user, reason), body["config"], UNCONDITIONAL)

    def prompt(self, user: User, reason: str, name: str, *messages: tuple[str, str], tools: Any = None) -> None:
        """Create or replace a prompt, of messages as role and content."""
        asked = {"messages": [{"role": role, "content": content} for role, content in messages], "tools": tools}
        body = load(PromptPutSchema(), asked, ())
        prompt = Prompt(name, body["messages"], body["tools"])
        prompts.put(self.repository, origin(user, reason), prompt, UNCONDITIONAL)

    def target(self, user: User, reason: str, name: str, template: str, overrides: Overrides) -> CommitId:
        """Create or replace a target, and return the commit."""
        asked = _request(name, template, overrides)
        return targets.put(self.repository, origin(user, reason), asked, UNCONDITIONAL).target.commit

    def targets(self, user: User, reason: str, template: str, overrides: dict[str, Overrides]) -> None:
        """Create targets of one template in one commit."""
        requests = [_request(name, template, fields) for name, fields in overrides.items()]
        target_batches.write_all(self.repository, origin(user, reason), requests, UNCONDITIONAL, replacing=False)

    def rebase(self, user: User, reason: str, name: str) -> None:
        """Resolve a target again on what its template is now, and then all that was made from it."""
        author = origin(user, reason)
        rebase.rebase(self.repository, author, name, UNCONDITIONAL, with_descendants=True, dry_run=False)

    def put_back(self, user: User, reason: str, name: str, ref: str) -> None:
        """Put a target back as it was."""
        reverts.revert(self.repository, origin(user, reason), things.target(name), ref, UNCONDITIONAL)

    def delete(self, user: User, reason: str, name: str) -> None:
        """Delete a target."""
        targets.delete(self.repository, origin(user, reason), name, UNCONDITIONAL)

    def tag(self, user: User, name: str, message: str) -> None:
        """Put a tag on the last commit."""
        body = load(TagCreateSchema(), {"name": name, "message": message}, ())
        revisions.create_tag(self.repository, origin(user, None), body["name"], None, body["message"])

    def label(self, user: User, reason: str, name: str, ref: str, **protection: Any) -> None:
        """Create a label, or move it; `protected` names the users who may move it, beside the owner."""
        body = load(LabelPutSchema(), {"ref": ref, "reason": reason, **protection}, ())
        request = LabelRequest(body["ref"], "protected" in body, body.get("protected"))
        mover = Mover(self.owner.id, user.id, is_owner=user == self.owner)
        labels.put(self.repository, origin(user, reason), mover, name, request, UNCONDITIONAL, dry_run=False)

    def stim(self, user: User, name: str) -> None:
        """Make the stimuli of a target that asks no model for questions."""
        place = f"{self.owner.id}/{self.name}"
        starting.start(self.runs, place, self.repository, name, STIM, origin(user, None))


def _request(name: str, template: str, overrides: Overrides) -> TargetRequest:
    body = load(TargetCreateSchema(), {"target_name": name, "template": template, "overrides": overrides}, ())
    return TargetRequest.of(body["target_name"], body["template"], body["overrides"])

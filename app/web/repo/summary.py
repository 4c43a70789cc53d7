"""What a repo has beside its targets: the first prompts and labels, the newest tags, and how many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from app.registry import label_files
from app.registry.configs.prompts import FOLDER as PROMPTS
from app.registry.configs.target_files import FOLDER as TARGETS
from app.web.admission import Place
from app.web.parts import commits
from app.web.parts.commits import Commit
from app.web.repo import live
from app.web.repo.live import Live
from storage.ids import CommitId

_PROMPTS, _LABELS = 10, 10


@dataclass(frozen=True, slots=True)
class Summary:
    """What a repo has beside its targets, and who changed each thing on the page last."""

    prompts: Sequence[str]
    prompt_count: int
    labels: Sequence[Live]
    label_count: int
    tags: Sequence[Live]
    tag_count: int
    _changed: Mapping[str, CommitId]  # by the path of the file
    _commits: Mapping[CommitId, Commit]

    def of_target(self, name: str) -> Commit | None:
        """Return the commit that changed a target of the page last; None for what is no file."""
        return self._of(TARGETS.path(name))

    def of_prompt(self, name: str) -> Commit | None:
        """Return the commit that changed a prompt last."""
        return self._of(PROMPTS.path(name))

    def _of(self, path: str) -> Commit | None:
        commit = self._changed.get(path)
        return None if commit is None else self._commits[commit]


def read(place: Place, targets: Sequence[str]) -> Summary:
    """Return what a repo has beside some targets, and who changed these and the rest last."""
    all_prompts, all_labels = PROMPTS.names(place.snapshot), live.versions(place)
    labels, prompts = dict(islice(all_labels.items(), _LABELS)), all_prompts[:_PROMPTS]
    paths = {name: label_files.path(name) for name in labels}
    wanted = [*map(TARGETS.path, targets), *map(PROMPTS.path, prompts), *paths.values()]
    changed = place.repository.last_changes(wanted, place.snapshot.commit)  # one search for all
    known = commits.read(place.repository, changed.values())
    moved = {name: known[changed[path]] for name, path in paths.items() if path in changed}
    tags, tag_count = live.newest_tags(place)
    shown = live.of_labels(place, labels, moved)
    return Summary(prompts, len(all_prompts), shown, len(all_labels), tags, tag_count, changed, known)

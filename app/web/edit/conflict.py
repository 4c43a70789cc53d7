"""Somebody else wrote a target meanwhile: both versions on the one that the editor began with."""

from functools import partial

from app.domain.errors import NotFound
from app.registry.configs import target_files
from app.registry.configs.target_files import FOLDER, Target
from app.schemas.base import load
from app.schemas.targets import TargetPutSchema
from app.web.admission import Place
from app.web.edit import documents, kinds
from app.web.edit.form_draft import Document
from app.web.parts import conflicts
from app.web.parts.clash import Clash, was_at, writers
from app.wire import allowance, json_text
from storage.ids import BlobId


def read_version(place: Place, name: str, version: str) -> Target | None:
    """Return a target at a version that a form names; None where the target never had it."""
    path = FOLDER.path(name)
    if version == place.snapshot.version(path):
        return target_files.expect(place.snapshot, name, allowance.work())
    if not was_at(place, path, version):
        return None
    return target_files.read_version(place.snapshot, name, BlobId(version), allowance.work())


def find(place: Place, name: str, base_version: str, version: str, yours: Document) -> Clash:
    """Return how a document, which began with a version of a target, collides with a later one.

    Raises NotFound where the target never had the later version.
    """
    theirs, base = read_version(place, name, version), read_version(place, name, base_version)
    if theirs is None:
        raise NotFound("Target", name)
    is_own = yours["template"] == name
    before = {} if base is None else _side(place, base, is_own)
    after = _side(place, theirs, is_own)
    mine = documents.on_config(yours, (base or theirs).config) if is_own else yours
    finish = partial(documents.from_config, config=theirs.config) if is_own else documents.tidy
    changes = conflicts.compare(before, after, mine)
    told = writers(place, FOLDER.path(name), base_version)
    return Clash(base_version, theirs.version, changes, told, kinds.write(yours), after, finish)


def read_yours(text: str) -> Document:
    """Return the document that a form sends again; InvalidRequest where it is not the one that the page had."""
    return documents.tidy(load(TargetPutSchema(), json_text.parse(text.encode(), "The form"), ("body", "yours")))


def _side(place: Place, target: Target, is_own: bool) -> Document:
    if is_own:
        return {"template": target.name, "config": target.config}
    return documents.of_target(place.snapshot, target, allowance.work())

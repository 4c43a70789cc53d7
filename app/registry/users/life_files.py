"""The folders of the accounts that tell what became of repos. A repo that is gone has no place of its own to tell it.

- `deleted/<user>~<repo>.<id>.yml`: a repo that was deleted and can be restored.
- `moving/<user>~<repo>.yml`: a rename that was begun. It is there for a moment, or until a crash is mended.
- `restoring/<user>~<repo>.yml`: a restore that was begun, by the name that the repo gets. It is there as briefly.
- `moved/<user>~<repo>.yml`: where a repo that had this name is now.
- `imported/<user>~<repo>.yml`: where a repo came from; the file's name is in lower case, as that of a former name.
"""

from app.registry import documents
from app.registry.documents import Source
from app.registry.folders import Folder

DELETED = Folder("deleted", "Deleted repo")
MOVING = Folder("moving", "Move")
RESTORING = Folder("restoring", "Restore")
MOVED = Folder("moved", "Former name")
IMPORTED = Folder("imported", "Import")
FOLDERS = (DELETED, MOVING, RESTORING, MOVED, IMPORTED)


def key(place: str) -> str:
    """Return the name of the file about a repo `<user>/<repo>`: neither name may contain a tilde."""
    return place.replace("/", "~")


def former_key(place: str) -> str:
    """Return the name of the file about a former name, or of an import: names in another case share it."""
    return key(place).lower()


def find_given(source: Source, user_id: str) -> str | None:
    """Return a repo, as messages name it, that is about to be among those of a user; None where there is none."""
    for folder, origin in ((MOVING, "from"), (RESTORING, "deleted")):
        for name in folder.names(source):
            found = documents.read(source, folder.path(name))
            if found is not None and str(found[0].get("to")).startswith(f"{user_id}/"):
                return f"'{found[0].get(origin)}'"
    return None

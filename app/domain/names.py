"""The rules for the names of repos, prompts, targets, tags, labels and users, and how messages list names."""

import re
from collections.abc import Callable, Iterable, Mapping

from app.domain.errors import NameNotPortable

DEFAULT_TEMPLATE = "default"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Question templates: such a name may be made of a target's name, and so be longer.
_FILE_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}")
_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
_WHOLE_ID = re.compile(r"[0-9a-f]{40}")
_START_OF_ID = re.compile(r"[0-9a-fA-F]{4,40}")
_RUN_KEY = re.compile(r"[0-9a-f]{64}")
_OTHER_REVISIONS = ("main", "HEAD")
# A tag, a label, the id of a commit, or its first digits. Only the repo knows which of them a text is.
REVISION = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
RESERVED = ("docs", "git", "health", "openapi.json", "v1")  # addresses begin so that are no user's
_LISTED = 10  # names in a message
_LONGEST = 100  # characters of a name in a message
_SHARED_RULES = "must not contain '..', end in '.lock' or '.git', or be 'batch'"


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a repo, prompt or target, or None."""
    if not _NAME.fullmatch(name):
        return "must start with a letter or digit and hold only letters, digits, '.', '_' and '-', 100 at most"
    return _shared_problem(name)


def file_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a question template's file, or None."""
    if not _FILE_NAME.fullmatch(name):
        return "must hold only letters, digits, '.', '_' and '-', 255 at most, and not be '.' or '..'"
    return None


def target_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a target, or None."""
    if name == DEFAULT_TEMPLATE:
        return "must not be 'default': that is the template every repo starts with"
    return name_problem(name)


def template_problem(name: str) -> str | None:
    """Return what is wrong with the name of a template, or None."""
    return None if name == DEFAULT_TEMPLATE else target_name_problem(name)


def tag_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a tag, or None; git itself refuses a dot at the end."""
    if name in _OTHER_REVISIONS or name.endswith("."):
        return "must not end in '.', or be 'main' or 'HEAD', which mean what is there now"
    if _WHOLE_ID.fullmatch(name):
        return "must not look like the id of a commit"
    return name_problem(name)


def label_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a label, or None: a ref must mean one thing only, in any case."""
    if name.lower() in map(str.lower, _OTHER_REVISIONS) or name.endswith("."):
        return "must not end in '.', or be 'main' or 'HEAD', which mean what is there now"
    if _START_OF_ID.fullmatch(name):
        return "must not look like the start of a commit's id: 4 to 40 of the digits 0-9 and a-f"
    return name_problem(name)


def run_key_problem(key: str) -> str | None:
    """Return what is wrong with the key of a run, or None."""
    return None if _RUN_KEY.fullmatch(key) else "must be 64 of the digits 0-9 and a-f"


def token_repo_problem(name: str) -> str | None:
    """Return what is wrong with a repo in a token, `<repo>` or `<owner>/<repo>`, or None."""
    owner, _, repo = name.rpartition("/")
    return (user_id_problem(owner) if "/" in name else None) or name_problem(repo)


def user_id_problem(user_id: str) -> str | None:
    """Return what is wrong with a user id, or None."""
    if not _USER_ID.fullmatch(user_id):
        return (
            "must start with a letter or digit and hold only letters, digits, '.', '_', '@', '+' and '-', 128 at most"
        )
    return _shared_problem(user_id)


def new_user_id_problem(user_id: str) -> str | None:
    """Return what is wrong with the id of a new user, or None: users from before keep an id that is reserved now."""
    if user_id in RESERVED:
        return f"is reserved, as are {enumerated(set(RESERVED) - {user_id})}: addresses of this server begin so"
    return user_id_problem(user_id)


def enumerated(names: Iterable[str]) -> str:
    """Return names in quotes, sorted, for a message: the first few, and how many more there are."""
    ordered = sorted(names)
    first = ", ".join(f"'{name}'" for name in ordered[:_LISTED])
    return f"{first} and {len(ordered) - _LISTED} more" if len(ordered) > _LISTED else first


def quoted(name: str) -> str:
    """Return a name in quotes, for a message; of a long one the start, since it may be any text."""
    return f"'{name[:_LONGEST]}{'…' if len(name) > _LONGEST else ''}'"


def _shared_problem(name: str) -> str | None:
    if ".." in name or name.lower().endswith((".lock", ".git")) or name == "batch":
        return _SHARED_RULES
    return None


# Windows keeps these names for devices, whatever follows a dot: `con`, `AUX.yml`, `lpt1.tar.gz`.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[1-9\u00b9\u00b2\u00b3]) *(?:\..*)?", re.IGNORECASE)


def refuse_unportable(field: str, file: str) -> None:
    """Raise NameNotPortable where Windows could not check out a new file; `field` of the request names it."""
    name = file.rpartition("/")[2]
    if _DEVICE.fullmatch(name):
        raise NameNotPortable(field, name, "keeps this name for a device, whatever its ending")
    if name.endswith((".", " ")):
        raise NameNotPortable(field, name, "has no names that end in a dot or a space")


# The same rules as patterns (ECMA 262), for the OpenAPI document.
_NOT_SHARED = r"(?!batch$)(?!.*\.\.)(?!.*\.([lL][oO][cC][kK]|[gG][iI][tT])$)"
_REPO = _NOT_SHARED + _NAME.pattern
PATTERNS: Mapping[Callable[[str], str | None], str] = {
    name_problem: f"^{_REPO}$",
    template_problem: f"^{_REPO}$",
    target_name_problem: f"^(?!default$){_REPO}$",
    file_name_problem: f"^{_FILE_NAME.pattern}$",
    tag_name_problem: f"^(?!(main|HEAD|[0-9a-f]{{40}})$)(?!.*\\.$){_REPO}$",
    label_name_problem: f"^(?!([mM][aA][iI][nN]|[hH][eE][aA][dD]|[0-9a-fA-F]{{4,40}})$)(?!.*\\.$){_REPO}$",
    run_key_problem: f"^{_RUN_KEY.pattern}$",
    user_id_problem: f"^{_NOT_SHARED}{_USER_ID.pattern}$",
    new_user_id_problem: f"^(?!({'|'.join(map(re.escape, RESERVED))})$){_NOT_SHARED}{_USER_ID.pattern}$",
    token_repo_problem: f"^({_NOT_SHARED.replace('$', '/')}{_USER_ID.pattern}/)?{_REPO}$",
}

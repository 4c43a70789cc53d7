"""What repos, prompts, targets and users may be called."""

import re

DEFAULT_TEMPLATE = "default"

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
USER_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}"

_NAME = re.compile(NAME_PATTERN)
_USER_ID = re.compile(USER_ID_PATTERN)
_SHARED_RULES = "must not contain '..', end in '.lock' or '.git', or be 'batch'"


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a repo, prompt or target, or None."""
    if not _NAME.fullmatch(name):
        return (
            "must start with a letter or digit and hold only letters, digits, '.', '_' and '-', 100 at most"
        )
    return _shared_problem(name)


def target_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a target, or None."""
    if name == DEFAULT_TEMPLATE:
        return "must not be 'default': that is the template every repo starts with"
    return name_problem(name)


def token_repo_problem(name: str) -> str | None:
    """Return what is wrong with a repo that a token is for, `<repo>` or `<owner>/<repo>`, or None."""
    owner, _, repo = name.rpartition("/")
    return (user_id_problem(owner) if "/" in name else None) or name_problem(repo)


def user_id_problem(user_id: str) -> str | None:
    """Return what is wrong with a user id, or None."""
    if not _USER_ID.fullmatch(user_id):
        return (
            "must start with a letter or digit and hold only letters, digits, "
            "'.', '_', '@', '+' and '-', 128 at most"
        )
    return _shared_problem(user_id)


def _shared_problem(name: str) -> str | None:
    if ".." in name or name.lower().endswith((".lock", ".git")) or name == "batch":
        return _SHARED_RULES
    return None

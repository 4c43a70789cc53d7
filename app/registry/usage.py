"""Which documents use a prompt or a target: what a deletion answers."""

import re

from app.domain.names import DEFAULT_TEMPLATE
from app.registry import defaults, rebase, target_files
from app.registry.documents import Source
from app.registry.references import PROMPT_FIELDS


def users_of_prompt(source: Source, name: str) -> list[str]:
    """Return the targets whose config names a prompt, sorted, after `default` where the default names it.

    The names are found in the bytes of the files, since parsing thousands of targets takes seconds.
    """
    quote = "[\"']" if name == "null" else "[\"']?"  # without quotes, null is no name
    fields = "|".join(PROMPT_FIELDS)
    named = re.compile(f"^  (?:{fields}): {quote}{re.escape(name)}{quote}$".encode(), re.MULTILINE)
    paths = {DEFAULT_TEMPLATE: defaults.PATH}
    paths |= {target: target_files.FOLDER.path(target) for target in target_files.FOLDER.names(source)}
    return [user for user, path in paths.items() if (file := source.read(path)) and named.search(file.data)]


def users_of_target(source: Source, name: str) -> list[str]:
    """Return the targets that are resolved on a target, sorted."""
    return rebase.children(source).get(name, [])

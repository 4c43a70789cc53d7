"""The commits whose reasons have a text. git finds the text anywhere in messages, and their reasons decide."""

from collections.abc import Callable, Iterator, Sequence

from storage.ids import CommitId
from storage.log_filter import LogFilter
from storage.plumbing.checked_git import CheckedGit

_MOST = 1000  # commits that git is asked for at once: their messages are kept in memory meanwhile


def find(
    git: CheckedGit,
    wanted: LogFilter,
    options: Sequence[str],
    revisions_before: Callable[[CommitId | None], Sequence[str] | None],
    limit: int | None,
) -> Iterator[list[CommitId]]:
    """Yield commits whose reasons have the text, newest first, some at a time.

    `options` are those of `git log`. `revisions_before` returns the revisions and paths that are left before a
    commit, or None where none are.
    """
    count = min(_MOST, limit or _MOST)
    revisions = revisions_before(None)
    while revisions is not None:
        listed = git.ask(
            "log",
            "--first-parent",
            "-z",
            "--format=tformat:%H%n%B",
            f"--max-count={count}",
            *options,
            *revisions,
            options=["--no-literal-pathspecs"],
        )
        found = [entry.partition("\n") for entry in listed.split("\0")[:-1]]
        yield [CommitId(commit) for commit, _, message in found if wanted.accepts_message(message)]
        revisions = revisions_before(CommitId(found[-1][0])) if len(found) == count else None
        count = _MOST

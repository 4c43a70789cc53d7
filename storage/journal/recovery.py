"""Git's lock on the branch after a crash: it is held while the journal has records, and only then.

Nothing else is in doubt. Each of git's files was flushed before another that leads to it, and the journal's
engine finds its own end. But a kill may leave the lock without a record, and a power loss a record without
the lock.
"""

from contextlib import suppress

from storage.errors import TipMoved
from storage.journal.interface import Journal
from storage.plumbing.branch import Branch

_MOMENT = 0.05  # seconds


def recover(branch: Branch, journal: Journal) -> None:
    """Take or remove git's lock on the branch of a repository that is being opened."""
    if not _is_in_doubt(branch, journal):
        return
    # A process that holds the journal is running, and takes or removes git's lock itself.
    with suppress(TimeoutError), journal.lock(_MOMENT):
        if not _is_in_doubt(branch, journal):
            return
        if journal.head().is_empty:
            branch.clear_stale_lock()
        else:
            with suppress(OSError, TipMoved):  # on a full disk, say: the next writer takes the lock
                branch.lock(branch.find())


def _is_in_doubt(branch: Branch, journal: Journal) -> bool:
    if journal.head().is_empty:
        return branch.is_locked()
    return not branch.is_locked_by_us()

"""What a power loss leaves in doubt, and what a killed process leaves behind.

Git's own files are never in doubt: each was flushed before what follows from it. Neither is a record
of the journal; only how far the journal goes is. A kill takes nothing, since the kernel keeps what was
written, but it can leave git's lock on the branch, or a journal without the lock: what that has is
published then before more is added.
"""

from contextlib import suppress

from storage.journal.file_engine import Journal
from storage.plumbing.branch import Branch

_MOMENT = 0.05  # seconds


def recover(branch: Branch, journal: Journal) -> None:
    """Bring a repository that is being opened to rest; what its journal holds is left for `Tip`."""
    journal.create()
    mark = journal.mark()
    if not mark.is_current:
        with journal.exclusive() as held:
            if not held.mark().is_current:  # else another process was quicker
                held.find_end()
    elif mark.is_empty and branch.is_locked():
        # Only who moves the branch needs this; whoever holds the journal now may be one, and sees to it.
        with suppress(TimeoutError), journal.exclusive(_MOMENT) as held:
            if held.mark().is_empty:  # else it is the journal's
                branch.clear_stale_lock()

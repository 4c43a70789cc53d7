"""What the repositories of one store share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from storage.block import Block
from storage.block_file import BlockFile
from storage.branches import BranchFiles
from storage.budget import UNLIMITED, Limits
from storage.caches import Cache
from storage.journal.checkpointer import Checkpointer
from storage.journal.file_engine import FileJournal
from storage.journal.interface import Journal
from storage.location import Location
from storage.maintenance import Maintenance
from storage.objects.cache import ObjectCache
from storage.plumbing.branch import Branch
from storage.plumbing.refs import Refs
from storage.snapshot import Snapshot
from storage.versions import Known
from storage.waits import Waits


@dataclass(frozen=True, slots=True)
class Shared:
    """Caches, background threads, bounds of waiting and writing, and the journals' engine: one of each for a store.

    `check` raises LayoutUnknown for files that the store's repositories must not have. git sees a branch for each of
    the `branch_files`. A clone has no journal (`engine`) and no index on disk (`block_file`), and is where its HEAD is
    (`branch`).
    """

    maintenance: Maintenance = field(default_factory=lambda: Maintenance(None))
    waits: Waits = field(default_factory=Waits)
    limits: Limits = UNLIMITED
    checkpointer: Checkpointer = field(default_factory=Checkpointer)
    objects: ObjectCache = field(default_factory=ObjectCache)
    check: Callable[[Snapshot], None] = lambda _: None
    branch_files: BranchFiles = field(default_factory=BranchFiles)
    versions: Cache[tuple[str, str], Known] = field(default_factory=lambda: Cache(32 * 1024 * 1024))
    engine: Callable[[Location, Waits], Journal] = FileJournal  # the one place that says what keeps journals
    branch: Callable[[Refs], Branch] = Branch
    block_file: Callable[[Path], BlockFile] = BlockFile
    blocks: Cache[tuple[str, int], Block] = field(default_factory=lambda: Cache(64 * 1024 * 1024))

    def open_journal(self, location: Location) -> Journal:
        """Open the journal of a repository."""
        return self.engine(location, self.waits)

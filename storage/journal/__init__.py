"""What was answered and is not in git's own files yet: the journal, the tip, and the checkpoint."""

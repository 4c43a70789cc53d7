"""The settings of a repo: with whom it is shared, its name, its owner, its end; and repos that were deleted."""

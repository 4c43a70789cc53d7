"""The search, in one repo or in all that the viewer may read."""

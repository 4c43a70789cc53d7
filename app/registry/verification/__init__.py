"""The check that repositories hold what Bakehouse writes, and nothing else."""

"""Measurements: what Bakehouse does, beside what the same machine does without it, in one run."""

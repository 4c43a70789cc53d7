"""A repo: its targets as a table, its prompts, labels and tags, and what happened lately."""

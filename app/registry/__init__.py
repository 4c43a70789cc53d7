"""What users can do with repos, targets, prompts, accounts and grants. Knows nothing of HTTP."""

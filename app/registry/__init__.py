"""What repos, targets and users are, and what can be done with them. Knows nothing of HTTP."""

"""Git on disk: paths, bytes and commits. Knows nothing of HTTP, YAML or targets."""

"""The commands of runs: they ask a server, and where that makes sense the manifests in a clone."""

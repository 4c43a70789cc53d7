"""`bakehouse demo`: a repo with a story, to look around in."""

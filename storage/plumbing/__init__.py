"""Git's formats: objects, trees, commits, packs, refs, and what git answers about them."""

"""The family tree: all templates and targets of a repo as a picture, folded so that people can read it."""
